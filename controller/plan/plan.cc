// SPDX-License-Identifier: Apache-2.0
#include "controller/plan/plan.h"

#include <algorithm>
#include <iterator>
#include <unordered_set>
#include <utility>

#include "controller/api/str_cat.h"
#include "controller/plan/draft.h"
#include "controller/plan/plan_network.h"
#include "controller/plan/plan_syscall.h"
#include "controller/plan/plan_time.h"
#include "controller/plan/pod_index.h"

namespace sabot::plan {
namespace {

using api::StrCat;

constexpr std::string_view kPause = "experiment.chaos-mesh.org/pause";

// How each kind is planned: one overload per kind.
void PlanSpec(const api::NetworkChaosSpec& spec, PodIndex& index, absl::BitGenRef rng, Draft& draft) {
  PlanNetworkChaos(spec, index, rng, draft);
}

void PlanSpec(const api::TimeChaosSpec& spec, PodIndex& index, absl::BitGenRef rng, Draft& draft) {
  PlanTimeChaos(spec, index, rng, draft);
}

void PlanSpec(const api::SyscallChaosSpec& spec, PodIndex& index, absl::BitGenRef rng, Draft& draft) {
  PlanSyscallChaos(spec, index, rng, draft);
}

class Planner {
 public:
  Planner(const Inventory& inventory, const PlanOptions& options, absl::BitGenRef rng)
      : index_(inventory), options_(options), rng_(rng) {
    if (options.standalone) result_.maps[""];
  }

  void Add(size_t position, const api::Experiment& experiment) {
    PlannedExperiment& planned = result_.experiments.emplace_back();
    planned.index = position;
    planned.experiment.set_kind(experiment.kind);
    planned.experiment.set_namespace_(experiment.metadata.ns);
    planned.experiment.set_name(experiment.metadata.name);
    planned.experiment.set_uid(experiment.metadata.Uid());

    Draft draft(experiment, options_, planned);
    CheckIdentity(experiment, draft.problems());
    std::visit([&](const auto& spec) { PlanSpec(spec, index_, rng_, draft); }, experiment.spec);
    CheckRoom(draft);
    if (planned.ok()) {
      Commit(draft);
    } else {
      for (Record& record : planned.records) record.fault_ids.clear();
    }
  }

  PlanResult Take() { return std::move(result_); }

 private:
  // The ids of faults are made of the experiment's: two with the same one would take each other's place.
  void CheckIdentity(const api::Experiment& experiment, PlanProblems& problems) {
    const api::ObjectMeta& metadata = experiment.metadata;
    if (!names_.insert(StrCat(experiment.kind, " ", metadata.ns, "/", metadata.name)).second) {
      problems.Error("metadata.name",
                     StrCat(experiment.kind, " ", metadata.ns, "/", metadata.name, " is given twice"));
    } else if (!names_.insert(StrCat(experiment.kind, " uid ", metadata.Uid())).second) {
      problems.Error("metadata.uid", "is also that of another experiment");
    }
    const auto pause = metadata.annotations.find(std::string(kPause));
    if (pause != metadata.annotations.end() && pause->second == "true") {
      problems.Error("metadata.annotations", StrCat("is paused by its annotation ", kPause));
    }
  }

  // That the maps can take the faults in addition to those they have.
  void CheckRoom(Draft& draft) {
    if (draft.problems().errors() > 0) return;
    std::map<std::string_view, size_t> per_node;
    for (const DraftFault& fault : draft.faults()) ++per_node[fault.node];
    for (const auto& [node, more] : per_node) {
      const auto map = result_.maps.find(std::string(node));
      const size_t have = map == result_.maps.end() ? 0 : static_cast<size_t>(map->second.faults_size());
      if (have + more <= options_.max_faults_per_node) continue;
      draft.problems().Error("",
                             StrCat("needs ", more, " faults", node.empty() ? "" : StrCat(" on node ", node),
                                    ", others have ", have, ", the limit is ", options_.max_faults_per_node));
    }
    if (peers_ + draft.peers() > options_.max_peers) {
      draft.problems().Error("", StrCat("needs ", draft.peers(), " peer addresses, others have ", peers_,
                                        ", the limit is ", options_.max_peers));
    }
  }

  void Commit(Draft& draft) {
    peers_ += draft.peers();
    for (DraftFault& fault : draft.faults()) {
      sabot::v1::NodeFaultMap& map = result_.maps[fault.node];
      map.set_node(fault.node);
      *map.add_faults() = std::move(fault.fault);
    }
  }

  PodIndex index_;
  const PlanOptions& options_;
  absl::BitGenRef rng_;
  std::unordered_set<std::string> names_;
  size_t peers_ = 0;
  PlanResult result_;
};

}  // namespace

bool PlanResult::ok() const {
  return std::all_of(experiments.begin(), experiments.end(),
                     [](const PlannedExperiment& experiment) { return experiment.ok(); });
}

PlanResult Plan(absl::Span<const api::Experiment> experiments, const Inventory& inventory,
                const PlanOptions& options, absl::BitGenRef rng) {
  Planner planner(inventory, options, rng);
  for (size_t i = 0; i < experiments.size(); ++i) planner.Add(i, experiments[i]);
  return planner.Take();
}

}  // namespace sabot::plan
