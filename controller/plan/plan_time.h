// SPDX-License-Identifier: Apache-2.0
#ifndef SABOT_CONTROLLER_PLAN_PLAN_TIME_H_
#define SABOT_CONTROLLER_PLAN_PLAN_TIME_H_

#include "absl/random/bit_gen_ref.h"
#include "controller/api/time_chaos.h"
#include "controller/plan/draft.h"
#include "controller/plan/pod_index.h"

namespace sabot::plan {

// TimeChaos → records and faults, one per container. Errors in its problems: what else `draft` holds is of no
// use.
void PlanTimeChaos(const api::TimeChaosSpec& spec, PodIndex& index, absl::BitGenRef rng, Draft& draft);

}  // namespace sabot::plan

#endif  // SABOT_CONTROLLER_PLAN_PLAN_TIME_H_
