// SPDX-License-Identifier: Apache-2.0
//
// A file descriptor that closes itself. Move-only; not thread-safe.
#ifndef SABOT_LOADER_FD_H_
#define SABOT_LOADER_FD_H_

#include <unistd.h>

#include <utility>

namespace sabot::loader {

class UniqueFd {
 public:
  UniqueFd() = default;
  // Takes ownership of `fd`; a negative one means "none".
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.Release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    Reset(other.Release());
    return *this;
  }
  ~UniqueFd() { Reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  // Gives up ownership.
  int Release() { return std::exchange(fd_, -1); }
  void Reset(int fd = -1) {
    int old = std::exchange(fd_, fd);
    if (old >= 0) ::close(old);
  }

 private:
  int fd_ = -1;
};

}  // namespace sabot::loader

#endif  // SABOT_LOADER_FD_H_
