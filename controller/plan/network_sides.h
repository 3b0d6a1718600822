// SPDX-License-Identifier: Apache-2.0
//
// Which pods of a NetworkChaos get a fault, in which direction, and who is the other end.
#ifndef SABOT_CONTROLLER_PLAN_NETWORK_SIDES_H_
#define SABOT_CONTROLLER_PLAN_NETWORK_SIDES_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/random/bit_gen_ref.h"
#include "controller/api/network_chaos.h"
#include "controller/plan/peers.h"
#include "controller/plan/plan_problems.h"
#include "controller/plan/pod_index.h"
#include "sabot/v1/fault.pb.h"

namespace sabot::plan {

struct NetworkSide {
  std::string_view selector_key;  // "." or ".Target"
  PodList pods;
  // DIRECTION_UNSPECIFIED: nothing is done at these pods, they are only the other end.
  sabot::v1::NetworkFault::Direction direction = sabot::v1::NetworkFault::DIRECTION_UNSPECIFIED;
  std::string device;
  Peers peers;
};

// The source side and, when the spec has a target, the target side. Nothing, with errors, when a selection
// fails or a side that has to do something has nobody at the other end.
//
//               tc effects                      partition
//   to          source: egress                  source: egress;  target: ingress
//   from        target: egress                  source: ingress; target: egress
//   both        source: egress; target: egress  source: both;    target: both
//
// Without a target, a partition acts at the source alone. External targets are peers of the source alone.
// With neither, every packet matches.
std::optional<std::vector<NetworkSide>> NetworkSides(const api::NetworkChaosSpec& spec,
                                                     bool filter_namespaces, PodIndex& index,
                                                     absl::BitGenRef rng, PlanProblems& problems);

}  // namespace sabot::plan

#endif  // SABOT_CONTROLLER_PLAN_NETWORK_SIDES_H_
