// SPDX-License-Identifier: Apache-2.0
#include "loader/netns.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "loader/status.h"

namespace sabot::loader {
namespace {

constexpr char kNamedDirectory[] = "/run/netns";

bool AllDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c); });
}

std::vector<std::string> EntriesOf(const char* directory) {
  std::vector<std::string> names;
  std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(directory), ::closedir);
  if (!dir) return names;
  while (const dirent* entry = ::readdir(dir.get())) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  return names;
}

// The inode number of a file that /proc has once per network namespace; 0 if unknown. Other than the
// namespace file, it may be looked at without the right to trace the process, which we lack where process 1
// has more capabilities than we.
uint64_t ProcNetIdentity(const std::string& process) {
  struct stat info {};
  return ::stat(absl::StrCat("/proc/", process, "/net/dev").c_str(), &info) == 0 ? info.st_ino : 0;
}

// Where a namespace may be held open by something that can be seen.
std::vector<std::string> CandidatePaths() {
  std::vector<std::string> paths;
  for (const std::string& name : EntriesOf(kNamedDirectory)) {
    paths.push_back(absl::StrCat(kNamedDirectory, "/", std::string(name)));
  }
  for (const std::string& name : EntriesOf("/proc")) {
    if (AllDigits(name)) paths.push_back(absl::StrCat("/proc/", name, "/ns/net"));
  }
  return paths;
}

}  // namespace

absl::StatusOr<Netns> Netns::Adopt(UniqueFd fd, const std::string& attempt) {
  int type = ::ioctl(fd.get(), NS_GET_NSTYPE);
  if (type != CLONE_NEWNET) {
    return absl::InvalidArgumentError(absl::StrCat(attempt, ": it is not a network namespace"));
  }
  struct stat info {};
  if (::fstat(fd.get(), &info) < 0) return ErrnoStatus(errno, attempt);
  return Netns(std::move(fd), info.st_ino);
}

absl::StatusOr<Netns> Netns::OpenPath(const std::string& path) {
  std::string attempt = absl::StrCat("open network namespace ", path);
  // A FIFO must not block us, nor a terminal become ours.
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid()) return ErrnoStatus(errno, attempt);
  return Adopt(std::move(fd), attempt);
}

absl::StatusOr<Netns> Netns::OpenPid(pid_t pid) { return OpenPath(absl::StrCat("/proc/", pid, "/ns/net")); }

absl::StatusOr<Netns> Netns::OpenNamed(std::string_view name) {
  if (name.empty() || name == "." || name == ".." || name.find('/') != name.npos ||
      name.find('\0') != name.npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("open network namespace \"", std::string(name), "\": not a name"));
  }
  return OpenPath(absl::StrCat(kNamedDirectory, "/", std::string(name)));
}

absl::StatusOr<Netns> Netns::OpenSelf() { return OpenPath("/proc/thread-self/ns/net"); }

absl::StatusOr<Netns> Netns::OpenInit() {
  absl::StatusOr<Netns> direct = OpenPid(1);
  if (!absl::IsPermissionDenied(direct.status())) return direct;
  uint64_t wanted = ProcNetIdentity("1");
  if (wanted == 0) return direct;
  if (ProcNetIdentity("thread-self") == wanted) return OpenSelf();
  for (const std::string& pid : EntriesOf("/proc")) {
    if (!AllDigits(pid) || ProcNetIdentity(pid) != wanted) continue;
    absl::StatusOr<Netns> same = OpenPath(absl::StrCat("/proc/", pid, "/ns/net"));
    // Looked at again once open: the process may have gone elsewhere in between.
    if (same.ok() && ProcNetIdentity(pid) == wanted) return same;
  }
  return direct;
}

absl::StatusOr<Netns> Netns::FindByInode(uint64_t inode) {
  for (const std::string& path : CandidatePaths()) {
    struct stat info {};
    if (::stat(path.c_str(), &info) < 0 || info.st_ino != inode) continue;
    // Looked at again once open: the process may have ended or moved in between. Files elsewhere may share
    // the number.
    absl::StatusOr<Netns> found = OpenPath(path);
    if (found.ok() && found->inode() == inode) return found;
  }
  return absl::NotFoundError(absl::StrCat("find netns ", inode, ": it is neither in ", kNamedDirectory,
                                          " nor that of any process in /proc"));
}

absl::StatusOr<Netns> Netns::Create() {
  SABOT_ASSIGN_OR_RETURN(Netns here, OpenSelf());
  if (::unshare(CLONE_NEWNET) < 0) return ErrnoStatus(errno, "create a network namespace");
  ScopedNetns go_back(std::move(here.fd_));
  return OpenSelf();
}

std::string Netns::Describe() const { return absl::StrCat("netns ", inode_); }

absl::StatusOr<Netns> Netns::Duplicate() const {
  UniqueFd fd(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0));
  if (!fd.valid()) return ErrnoStatus(errno, absl::StrCat("duplicate the descriptor of ", Describe()));
  return Netns(std::move(fd), inode_);
}

absl::StatusOr<ScopedNetns> ScopedNetns::Enter(const Netns& netns) {
  SABOT_ASSIGN_OR_RETURN(Netns here, Netns::OpenSelf());
  if (::setns(netns.fd(), CLONE_NEWNET) < 0)
    return ErrnoStatus(errno, absl::StrCat("enter ", netns.Describe()));
  return ScopedNetns(std::move(here.fd_));
}

ScopedNetns::~ScopedNetns() {
  if (!back_.valid() || ::setns(back_.get(), CLONE_NEWNET) == 0) return;
  std::fprintf(stderr, "sabot: cannot return to the network namespace that this thread came from: %s\n",
               std::strerror(errno));
  std::abort();
}

}  // namespace sabot::loader
