// SPDX-License-Identifier: Apache-2.0
//
// NetworkChaos → records and faults. A further kind has a file like this one and a line in plan.cc.
#ifndef SABOT_CONTROLLER_PLAN_PLAN_NETWORK_H_
#define SABOT_CONTROLLER_PLAN_PLAN_NETWORK_H_

#include "absl/random/bit_gen_ref.h"
#include "controller/api/network_chaos.h"
#include "controller/plan/draft.h"
#include "controller/plan/pod_index.h"

namespace sabot::plan {

// Fills `draft`. Errors in its problems: what else it holds is of no use.
void PlanNetworkChaos(const api::NetworkChaosSpec& spec, PodIndex& index, absl::BitGenRef rng, Draft& draft);

}  // namespace sabot::plan

#endif  // SABOT_CONTROLLER_PLAN_PLAN_NETWORK_H_
