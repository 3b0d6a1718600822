// SPDX-License-Identifier: Apache-2.0
#ifndef SABOT_CONTROLLER_PLAN_PLAN_SYSCALL_H_
#define SABOT_CONTROLLER_PLAN_PLAN_SYSCALL_H_

#include "absl/random/bit_gen_ref.h"
#include "controller/api/syscall_chaos.h"
#include "controller/plan/draft.h"
#include "controller/plan/pod_index.h"

namespace sabot::plan {

// One fault per container and entry of `syscalls`, so that each entry has the best mechanism that there is
// for it; `skip`, `times` and the counters are each entry's own. Of a group, calls that the mechanism cannot
// meet are left out.
void PlanSyscallChaos(const api::SyscallChaosSpec& spec, PodIndex& index, absl::BitGenRef rng, Draft& draft);

}  // namespace sabot::plan

#endif  // SABOT_CONTROLLER_PLAN_PLAN_SYSCALL_H_
