// SPDX-License-Identifier: Apache-2.0
#ifndef SABOT_LOADER_PROCESS_MEMORY_H_
#define SABOT_LOADER_PROCESS_MEMORY_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "loader/fd.h"

namespace sabot::loader {

// The memory of a process as it is when this is opened (/proc/PID/mem): after the process executes another
// program it is that of nobody, and every access is NOT_FOUND. Writes reach pages that are mapped read-only,
// as private copies. Needs CAP_SYS_PTRACE, or the same user. Move-only.
class ProcessMemory {
 public:
  static absl::StatusOr<ProcessMemory> Open(pid_t pid);

  // All of it or an error: NOT_FOUND when the memory is gone, otherwise the errno.
  absl::StatusOr<std::string> Read(uint64_t address, size_t size) const;
  absl::Status Write(uint64_t address, std::string_view bytes) const;
  // As much as there is from `address` on, at most `size`; empty if none.
  std::string ReadUpTo(uint64_t address, size_t size) const;

 private:
  ProcessMemory(pid_t pid, UniqueFd fd) : pid_(pid), fd_(std::move(fd)) {}

  pid_t pid_;
  UniqueFd fd_;
};

}  // namespace sabot::loader

#endif  // SABOT_LOADER_PROCESS_MEMORY_H_
