// SPDX-License-Identifier: Apache-2.0
#include "loader/process_memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "loader/status.h"

namespace sabot::loader {
namespace {

// The kernel says "nothing" of memory whose process is gone, and an error of an address that is not mapped.
absl::Status Failed(ssize_t done, int error, const char* what, uint64_t address, pid_t pid) {
  const std::string attempt = absl::StrCat(what, " memory of process ", pid, " at 0x", absl::Hex(address));
  if (done >= 0 || error == ESRCH) return absl::NotFoundError(absl::StrCat(attempt, ": it is gone"));
  return ErrnoStatus(error, attempt);
}

}  // namespace

absl::StatusOr<ProcessMemory> ProcessMemory::Open(pid_t pid) {
  const std::string path = absl::StrCat("/proc/", pid, "/mem");
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (fd.valid()) return ProcessMemory(pid, std::move(fd));
  if (errno == ENOENT || errno == ESRCH) return absl::NotFoundError(absl::StrCat("no process ", pid));
  return ErrnoStatus(errno, absl::StrCat("open ", path));
}

absl::StatusOr<std::string> ProcessMemory::Read(uint64_t address, size_t size) const {
  std::string bytes(size, '\0');
  const ssize_t done = ::pread(fd_.get(), bytes.data(), size, static_cast<off_t>(address));
  if (done == static_cast<ssize_t>(size)) return bytes;
  return Failed(done, errno, "read", address, pid_);
}

absl::Status ProcessMemory::Write(uint64_t address, std::string_view bytes) const {
  const ssize_t done = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(address));
  if (done == static_cast<ssize_t>(bytes.size())) return absl::OkStatus();
  return Failed(done, errno, "write", address, pid_);
}

std::string ProcessMemory::ReadUpTo(uint64_t address, size_t size) const {
  std::string bytes(size, '\0');
  const ssize_t done = ::pread(fd_.get(), bytes.data(), size, static_cast<off_t>(address));
  bytes.resize(done < 0 ? 0 : static_cast<size_t>(done));
  return bytes;
}

}  // namespace sabot::loader
