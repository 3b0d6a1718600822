// SPDX-License-Identifier: Apache-2.0
#ifndef SABOT_CONTROLLER_PLAN_EXTERNAL_TARGET_H_
#define SABOT_CONTROLLER_PLAN_EXTERNAL_TARGET_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "controller/plan/ip_address.h"

namespace sabot::plan {

// One of `externalTargets`: an address or a prefix of either family. Bits behind the prefix are cleared, as
// ipset does it upstream, where "10.1.2.3/8" therefore is all of 10.0.0.0/8. Unimplemented for host names and
// for anything with a port, which upstream knows and this version does not; InvalidArgument for the rest.
// Pure.
absl::StatusOr<IpPrefix> ParseExternalTarget(std::string_view text);

}  // namespace sabot::plan

#endif  // SABOT_CONTROLLER_PLAN_EXTERNAL_TARGET_H_
