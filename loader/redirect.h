// SPDX-License-Identifier: Apache-2.0
#ifndef SABOT_LOADER_REDIRECT_H_
#define SABOT_LOADER_REDIRECT_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "loader/fd.h"

namespace sabot::loader {

// A sched_cls program, "sabot_return", that sends every packet out through the device with this index. It
// needs no map, so it goes on working after the process that made it.
absl::StatusOr<UniqueFd> LoadRedirect(uint32_t ifindex);

}  // namespace sabot::loader

#endif  // SABOT_LOADER_REDIRECT_H_
