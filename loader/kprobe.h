// SPDX-License-Identifier: Apache-2.0
#ifndef SABOT_LOADER_KPROBE_H_
#define SABOT_LOADER_KPROBE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "loader/fd.h"

namespace sabot::loader {

// Attaches the kprobe program to the entry of the kernel's function, on all processors, until the descriptor
// is closed; the program reads `cookie` by bpf_get_attach_cookie(). UNIMPLEMENTED if there is no such
// function, or the program would override the result of one that does not allow it.
absl::StatusOr<UniqueFd> AttachKprobe(int program, const std::string& function, uint64_t cookie);

}  // namespace sabot::loader

#endif  // SABOT_LOADER_KPROBE_H_
