// SPDX-License-Identifier: Apache-2.0
#include "agent/lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/file.h"
#include "loader/status.h"

namespace sabot::agent {
namespace {

// The whole file.
struct flock WriteLock() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

bool SameFile(int fd, const std::filesystem::path& path) {
  struct stat opened {
  }, named{};
  return ::fstat(fd, &opened) == 0 && ::stat(path.c_str(), &named) == 0 && opened.st_dev == named.st_dev &&
         opened.st_ino == named.st_ino;
}

}  // namespace

absl::StatusOr<std::optional<loader::UniqueFd>> TryLock(const std::filesystem::path& path, bool create) {
  SABOT_ASSIGN_OR_RETURN(loader::UniqueFd fd, OpenFile(path, O_RDWR | (create ? O_CREAT : 0), 0600));
  struct flock lock = WriteLock();
  if (::fcntl(fd.get(), F_OFD_SETLK, &lock) != 0) {
    if (errno == EAGAIN || errno == EACCES) return std::nullopt;
    return ErrnoStatus(errno, absl::StrCat("lock ", path.native()));
  }
  if (!SameFile(fd.get(), path)) {
    return absl::NotFoundError(absl::StrCat("lock ", path.native(), ": it was removed meanwhile"));
  }
  return std::optional(std::move(fd));
}

absl::StatusOr<bool> IsLocked(const std::filesystem::path& path) {
  auto fd = OpenFile(path, O_RDONLY);
  if (absl::IsNotFound(fd.status())) return false;
  if (!fd.ok()) return fd.status();
  struct flock lock = WriteLock();
  if (::fcntl(fd->get(), F_OFD_GETLK, &lock) != 0) {
    return ErrnoStatus(errno, absl::StrCat("look at the lock of ", path.native()));
  }
  return lock.l_type != F_UNLCK;
}

}  // namespace sabot::agent
