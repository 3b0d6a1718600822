// SPDX-License-Identifier: Apache-2.0
#include "controller/api/read_file.h"
#include "controller/api/str_cat.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/status/status.h"

namespace sabot::api {
namespace {

// A descriptor that is closed with its owner, if it is ours to close.
class File {
 public:
  static absl::StatusOr<File> Create(const std::string& path) {
    if (path == "-") return File(STDIN_FILENO, false);
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return absl::ErrnoToStatus(errno, "open");
    return File(fd, true);
  }
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)), owned_(other.owned_) {}
  File& operator=(File&&) = delete;
  ~File() {
    if (owned_ && fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }

 private:
  File(int fd, bool owned) : fd_(fd), owned_(owned) {}
  int fd_;
  bool owned_;
};

absl::Status TooLarge(std::string_view size, size_t limit) {
  return absl::ResourceExhaustedError(StrCat("file is too large: ", size, " bytes, the limit is ", limit));
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t limit) {
  absl::StatusOr<File> file = File::Create(path);
  if (!file.ok()) return file.status();
  struct stat info = {};
  if (fstat(file->fd(), &info) != 0) return absl::ErrnoToStatus(errno, "fstat");
  if (S_ISREG(info.st_mode) && static_cast<size_t>(info.st_size) > limit) {
    return TooLarge(StrCat(info.st_size), limit);
  }
  // The size may be unknown (a pipe) or change while we read.
  std::string content;
  constexpr size_t kChunk = 64 << 10;
  while (content.size() <= limit) {
    const size_t have = content.size();
    content.resize(std::min(have + kChunk, limit + 1));
    const ssize_t got = read(file->fd(), content.data() + have, content.size() - have);
    const int error = errno;
    content.resize(have + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && error != EINTR) return absl::ErrnoToStatus(error, "read");
    if (got == 0) return content;
  }
  return TooLarge(StrCat("more than ", limit), limit);
}

}  // namespace sabot::api
