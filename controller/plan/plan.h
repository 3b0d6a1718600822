// SPDX-License-Identifier: Apache-2.0
//
// Experiments and an inventory → what shall be wrong on each node. Pure: no I/O, no clock, no randomness but
// the caller's; the same input gives the same output. Any thread.
#ifndef SABOT_CONTROLLER_PLAN_PLAN_H_
#define SABOT_CONTROLLER_PLAN_PLAN_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/random/bit_gen_ref.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "controller/api/experiment.h"
#include "controller/api/problem.h"
#include "controller/plan/inventory.h"
#include "sabot/v1/fault.pb.h"

namespace sabot::plan {

struct PlanOptions {
  // One map for everything, under the node name "", whatever nodes the pods name. Otherwise one map per node,
  // and a pod without a node is refused.
  bool standalone = true;
  // Lets network faults hit pods in the node's own network namespace. Every fault's target carries it.
  bool allow_host_network = false;
  // Instead of every experiment's own `duration`.
  std::optional<absl::Duration> duration;
  // A duration below this is an error of the experiment.
  absl::Duration minimum_duration = absl::Seconds(1);
  // Pods are selectable only in namespaces with the annotation chaos-mesh.org/inject: enabled.
  bool filter_namespaces = false;
  // The experiment that would need more fails.
  size_t max_faults_per_node = 8192;
  size_t max_peers = 4'000'000;  // prefixes in all faults together
};

// One selected pod of one experiment, as `status.experiment.containerRecords` will show it.
struct Record {
  std::string id;                      // "<namespace>/<pod>"
  std::string selector_key;            // "." for `selector`, ".Target" for `target`
  std::string node;                    // key of the map that holds the faults
  std::vector<std::string> fault_ids;  // empty when nothing has to be done at this pod
  bool refused = false;                // the pod should be hit and must not be; `message` says why
  std::string message;                 // why there is no fault, or less than asked for; mostly empty
};

struct PlannedExperiment {
  size_t index = 0;                  // of the experiment in the input
  sabot::v1::Experiment experiment;  // kind, namespace, name, uid
  std::vector<Record> records;
  // An error: the experiment could not be planned and no map holds anything of it. Every refused record is a
  // warning here; when all that should be hit is refused, that is an error.
  std::vector<api::Problem> problems;

  bool ok() const { return !api::HasErrors(problems); }
};

struct PlanResult {
  std::vector<PlannedExperiment> experiments;  // one for each in the input, in its order
  // By node name. Only nodes with faults; standalone always exactly one, "". The revision is the caller's to
  // set.
  std::map<std::string, sabot::v1::NodeFaultMap> maps;

  bool ok() const;  // every experiment is
};

// `rng` is used for the modes that choose at random, experiment by experiment in the order given. Experiments
// with the same kind, namespace and name: all but the first fail.
PlanResult Plan(absl::Span<const api::Experiment> experiments, const Inventory& inventory,
                const PlanOptions& options, absl::BitGenRef rng);

}  // namespace sabot::plan

#endif  // SABOT_CONTROLLER_PLAN_PLAN_H_
