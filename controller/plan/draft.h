// SPDX-License-Identifier: Apache-2.0
//
// One experiment while it is planned: what every kind's planner gets and fills.
#ifndef SABOT_CONTROLLER_PLAN_DRAFT_H_
#define SABOT_CONTROLLER_PLAN_DRAFT_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "controller/api/sabot_options.h"
#include "controller/plan/plan.h"
#include "controller/plan/plan_problems.h"
#include "controller/plan/pod_index.h"
#include "sabot/v1/fault.pb.h"

namespace sabot::plan {

struct DraftFault {
  std::string node;  // key of the map it belongs to
  sabot::v1::Fault fault;
};

class Draft {
 public:
  // All must outlive the draft.
  Draft(const api::Experiment& experiment, const PlanOptions& options, PlannedExperiment& planned);

  PlanProblems& problems() { return problems_; }
  const PlanOptions& options() const { return options_; }
  std::vector<DraftFault>& faults() { return faults_; }
  // Prefixes in all faults so far. A planner stops when it passes options().max_peers; CheckCaps() reports
  // it.
  size_t peers() const { return peers_; }
  void CountPeers(size_t more) { peers_ += more; }

  // What `duration`, or what overrides it, and `spec.sabot` say; for all faults of the experiment.
  void SetLifetime(const std::string& duration);
  void SetSabotOptions(const api::SabotOptions& options);

  // The record of a selected pod. It stays valid until the next call.
  Record& AddRecord(const Pod& pod, std::string_view selector_key);
  // Adds to `record` a fault of this effect at the pod, with all fields set but the kind, for the caller to
  // set. `suffix` is for a pod that has a fault of this effect already.
  sabot::v1::Fault& AddFault(Record& record, const Pod& pod, std::string_view effect,
                             std::string_view suffix);
  // The pod must not be hit.
  void Refuse(Record& record, std::string message);

  // To be called when everything is added: that something is hit, and not more than is allowed.
  void CheckCaps();

 private:
  std::string FaultId(const Record& record, std::string_view effect, std::string_view suffix) const;

  const PlanOptions& options_;
  PlannedExperiment& planned_;
  PlanProblems problems_;
  std::string uid_;
  uint64_t expires_in_ms_ = 0;
  sabot::v1::MechanismPolicy policy_;
  bool has_policy_ = false;
  std::optional<int64_t> max_targets_;
  std::vector<DraftFault> faults_;
  size_t peers_ = 0;
};

}  // namespace sabot::plan

#endif  // SABOT_CONTROLLER_PLAN_DRAFT_H_
