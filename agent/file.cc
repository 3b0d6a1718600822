// SPDX-License-Identifier: Apache-2.0
#include "agent/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "loader/status.h"

namespace sabot::agent {

absl::StatusOr<loader::UniqueFd> OpenFile(const std::filesystem::path& path, int flags, mode_t mode) {
  int fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  if (fd < 0) return ErrnoStatus(errno, absl::StrCat("open ", path.native()));
  return loader::UniqueFd(fd);
}

absl::StatusOr<std::string> ReadFile(const std::filesystem::path& path, size_t limit) {
  SABOT_ASSIGN_OR_RETURN(loader::UniqueFd fd, OpenFile(path, O_RDONLY));
  std::string bytes;
  char buffer[16384];
  while (true) {
    ssize_t got = ::read(fd.get(), buffer, sizeof(buffer));
    if (got == 0) return bytes;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(errno, absl::StrCat("read ", path.native()));
    bytes.append(buffer, static_cast<size_t>(got));
    if (bytes.size() > limit) {
      return absl::ResourceExhaustedError(
          absl::StrCat("read ", path.native(), ": more than ", limit, " bytes"));
    }
  }
}

absl::Status WriteAt(int fd, std::string_view bytes, size_t offset, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    ssize_t put = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return ErrnoStatus(errno, absl::StrCat("write ", path.native()));
    bytes.remove_prefix(static_cast<size_t>(put));
    offset += static_cast<size_t>(put);
  }
  return absl::OkStatus();
}

absl::Status SyncData(int fd, const std::filesystem::path& path) {
  if (::fdatasync(fd) != 0) return ErrnoStatus(errno, absl::StrCat("sync ", path.native()));
  return absl::OkStatus();
}

absl::Status SyncDirectory(const std::filesystem::path& directory) {
  SABOT_ASSIGN_OR_RETURN(loader::UniqueFd fd, OpenFile(directory, O_RDONLY | O_DIRECTORY));
  if (::fsync(fd.get()) != 0) return ErrnoStatus(errno, absl::StrCat("sync ", directory.native()));
  return absl::OkStatus();
}

absl::Status RemoveFile(const std::filesystem::path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return ErrnoStatus(errno, absl::StrCat("remove ", path.native()));
  }
  return absl::OkStatus();
}

}  // namespace sabot::agent
