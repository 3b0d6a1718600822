// SPDX-License-Identifier: Apache-2.0
//
// Network namespaces: a handle that keeps one alive, and a scope in which the calling thread is inside one.
#ifndef SABOT_LOADER_NETNS_H_
#define SABOT_LOADER_NETNS_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "loader/fd.h"

namespace sabot::loader {

// An open network namespace. The namespace lives at least as long as this object. Move-only; const methods
// may be called from several threads.
class Netns {
 public:
  // `path` is a namespace file: /proc/PID/ns/net or a bind mount of one. kInvalidArgument if it is another
  // thing.
  static absl::StatusOr<Netns> OpenPath(const std::string& path);
  // That of the main thread of process `pid`; kNotFound if there is no such process.
  static absl::StatusOr<Netns> OpenPid(pid_t pid);
  // One made by `ip netns add NAME`: /run/netns/NAME. kInvalidArgument if `name` is no plain file name.
  static absl::StatusOr<Netns> OpenNamed(std::string_view name);
  // That of the calling thread.
  static absl::StatusOr<Netns> OpenSelf();
  // That of process 1: the machine's own, if /proc is the machine's.
  static absl::StatusOr<Netns> OpenInit();
  // The one with this inode number, looked for in /run/netns and then in every process that /proc shows.
  // kNotFound if nothing that can be seen holds it open.
  static absl::StatusOr<Netns> FindByInode(uint64_t inode);
  // A new one without a name; only its loopback device is there, and it is down. The calling thread stays
  // where it is.
  static absl::StatusOr<Netns> Create();

  Netns(Netns&&) noexcept = default;
  Netns& operator=(Netns&&) noexcept = default;

  // The identity of the namespace while it lives: what `lsns` and `stat -L /proc/PID/ns/net` show.
  uint64_t inode() const { return inode_; }
  int fd() const { return fd_.get(); }
  // "netns 4026532589", for messages.
  std::string Describe() const;
  // A second handle to the same namespace.
  absl::StatusOr<Netns> Duplicate() const;

 private:
  friend class ScopedNetns;
  Netns(UniqueFd fd, uint64_t inode) : fd_(std::move(fd)), inode_(inode) {}
  static absl::StatusOr<Netns> Adopt(UniqueFd fd, const std::string& attempt);

  UniqueFd fd_;
  uint64_t inode_ = 0;
};

// Puts the calling thread into a namespace and, when destroyed, back where it was. To be destroyed on the
// thread that entered, in the reverse order of entering. A thread that cannot go back aborts the process with
// a message, because whatever it did next would be done to the wrong pod.
class ScopedNetns {
 public:
  static absl::StatusOr<ScopedNetns> Enter(const Netns& netns);

  ScopedNetns(ScopedNetns&&) noexcept = default;
  ScopedNetns& operator=(ScopedNetns&&) = delete;
  ~ScopedNetns();

 private:
  friend class Netns;
  explicit ScopedNetns(UniqueFd back) : back_(std::move(back)) {}

  UniqueFd back_;
};

}  // namespace sabot::loader

#endif  // SABOT_LOADER_NETNS_H_
