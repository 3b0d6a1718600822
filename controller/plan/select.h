// SPDX-License-Identifier: Apache-2.0
#ifndef SABOT_CONTROLLER_PLAN_SELECT_H_
#define SABOT_CONTROLLER_PLAN_SELECT_H_

#include <optional>
#include <string>

#include "absl/random/bit_gen_ref.h"
#include "controller/api/selector.h"
#include "controller/plan/plan_problems.h"
#include "controller/plan/pod_index.h"

namespace sabot::plan {

// The pods that the selector takes, in the order of its namespaces and then by name, none twice. `path` is
// that of the object that holds `selector`, `mode` and `value` ("spec", "spec.target"), for problems.
// Nothing, with an error, when the selection cannot be made or takes no pod at all. With `filter_namespaces`,
// pods of namespaces without the annotation chaos-mesh.org/inject: enabled are left out.
std::optional<PodList> SelectPods(const api::PodSelector& selector, const std::string& path,
                                  bool filter_namespaces, PodIndex& index, absl::BitGenRef rng,
                                  PlanProblems& problems);

}  // namespace sabot::plan

#endif  // SABOT_CONTROLLER_PLAN_SELECT_H_
