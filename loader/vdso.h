// SPDX-License-Identifier: Apache-2.0
//
// The vDSO: the small shared object that the kernel maps into every process, as an image that can be read and
// as a place in a process.
#ifndef SABOT_LOADER_VDSO_H_
#define SABOT_LOADER_VDSO_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "loader/process_memory.h"

namespace sabot::loader {

// A function of the image, in bytes from its begin.
struct VdsoFunction {
  size_t offset = 0;
  size_t size = 0;
};

// A plain value.
struct VdsoImage {
  std::string bytes;  // whole pages, as mapped
  std::map<std::string, VdsoFunction> functions;
  size_t text_begin = 0, text_end = 0;  // from the first function to the end of the last
  // Behind everything that the file format describes, all zero, up to the end of the last page.
  size_t room_begin = 0;
  size_t room() const { return bytes.size() - room_begin; }

  // INVALID_ARGUMENT says what is wrong with it; any input gives an answer. Pure.
  static absl::StatusOr<VdsoImage> Parse(std::string bytes);
};

// Where the image is in a process.
struct VdsoMapping {
  uint64_t address = 0;
  size_t size = 0;
};

// Finds it by /proc/PID/maps. NOT_FOUND: the process has ended or is a kernel thread; FAILED_PRECONDITION: it
// has no vDSO (vdso=0, or it was unmapped), or a 32-bit one.
absl::StatusOr<VdsoMapping> FindVdso(pid_t pid, const ProcessMemory& memory);

// The machine's image, as this process has it.
absl::StatusOr<VdsoImage> OwnVdso();

}  // namespace sabot::loader

#endif  // SABOT_LOADER_VDSO_H_
