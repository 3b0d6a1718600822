// SPDX-License-Identifier: Apache-2.0
//
// What a NetworkChaos does to a packet.
#ifndef SABOT_CONTROLLER_PLAN_NETWORK_EFFECTS_H_
#define SABOT_CONTROLLER_PLAN_NETWORK_EFFECTS_H_

#include <string_view>
#include <vector>

#include "controller/api/network_chaos.h"
#include "controller/plan/plan_problems.h"
#include "sabot/v1/fault.pb.h"

namespace sabot::plan {

struct NetworkEffect {
  std::string_view name;          // "loss", "delay", ...: the last part of a fault's id
  sabot::v1::NetworkFault fault;  // only its `effect` is set
};

// The effects that the spec asks for; at least one unless there is an error. Whatever is asked for and cannot
// be done by this version is an error: nothing is left out silently. Pure.
std::vector<NetworkEffect> NetworkEffects(const api::NetworkChaosSpec& spec, PlanProblems& problems);

}  // namespace sabot::plan

#endif  // SABOT_CONTROLLER_PLAN_NETWORK_EFFECTS_H_
