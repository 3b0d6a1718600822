// SPDX-License-Identifier: Apache-2.0
#ifndef SABOT_CONTROLLER_PLAN_CONTAINERS_H_
#define SABOT_CONTROLLER_PLAN_CONTAINERS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "controller/plan/inventory.h"

namespace sabot::plan {

// One container of a pod that a fault is for.
struct ChosenContainer {
  std::string id;  // "<namespace>/<pod>/<container>"; "<namespace>/<pod>" where no containers are known
  sabot::v1::Target target;
};

// Those with these names, in their order; without names the first one. A pod without known containers, as
// local things are, is itself the only one. NOT_FOUND names what the pod has not.
absl::StatusOr<std::vector<ChosenContainer>> ChooseContainers(const Pod& pod,
                                                              const std::vector<std::string>& names);

}  // namespace sabot::plan

#endif  // SABOT_CONTROLLER_PLAN_CONTAINERS_H_
