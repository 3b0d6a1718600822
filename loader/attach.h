// SPDX-License-Identifier: Apache-2.0
//
// BPF links: attachments that the kernel ends when the returned descriptor is closed, by us or by our death.
#ifndef SABOT_LOADER_ATTACH_H_
#define SABOT_LOADER_ATTACH_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "loader/fd.h"

namespace sabot::loader {

enum class Direction { kEgress, kIngress };

// "egress" or "ingress".
const char* Name(Direction direction);

// Appends the program to the tcx programs of the device with this index in the calling thread's network
// namespace. kUnimplemented where the kernel has no tcx.
absl::StatusOr<UniqueFd> AttachTcx(int program, uint32_t ifindex, Direction direction);

// Adds the cgroup_skb program to the cgroup v2 directory open as `cgroup`; other programs stay.
absl::StatusOr<UniqueFd> AttachCgroupSkb(int program, int cgroup, Direction direction);

}  // namespace sabot::loader

#endif  // SABOT_LOADER_ATTACH_H_
