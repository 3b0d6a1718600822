// SPDX-License-Identifier: Apache-2.0
//
// From the files and targets on the command line to a plan for this machine.
#ifndef SABOT_TOOLS_SABOT_LOCAL_INVENTORY_H_
#define SABOT_TOOLS_SABOT_LOCAL_INVENTORY_H_

#include <vector>

#include "absl/status/statusor.h"
#include "agent/target.h"
#include "controller/api/problem.h"
#include "controller/plan/inventory.h"
#include "controller/plan/plan.h"
#include "tools/sabot/commands.h"

namespace sabot::cli {

struct LocalPlan {
  plan::PlanResult result;
  // Everything that was found wrong or doubtful, in reading order.
  std::vector<api::Problem> problems;

  bool ok() const { return !api::HasErrors(problems); }
  const sabot::v1::NodeFaultMap& map() const { return result.maps.at(""); }
};

// Reads manifests and inventory, looks up the addresses of the local targets, and plans. Changes nothing.
LocalPlan PlanLocally(const ExperimentOptions& options, const agent::ContainerLookup& containers);

}  // namespace sabot::cli

#endif  // SABOT_TOOLS_SABOT_LOCAL_INVENTORY_H_
