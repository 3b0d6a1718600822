// SPDX-License-Identifier: Apache-2.0
//
// A selector made ready to be asked pod by pod.
#ifndef SABOT_CONTROLLER_PLAN_POD_FILTER_H_
#define SABOT_CONTROLLER_PLAN_POD_FILTER_H_

#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "controller/api/selector.h"
#include "controller/plan/plan_problems.h"
#include "controller/plan/pod_index.h"

namespace sabot::plan {

// All criteria of a selector but `namespaces` and `pods`. The selector and the index must outlive it.
class PodFilter {
 public:
  // Nothing, and errors below `path`, when the selector asks for what no API server would answer.
  static std::optional<PodFilter> Create(const api::PodSelectorSpec& selector, const std::string& path,
                                         const PodIndex& index, PlanProblems& problems);

  bool Matches(const Pod& pod) const;

 private:
  using FieldMatch = bool (*)(const Pod& pod, std::string_view value);
  struct FieldCriterion {
    FieldMatch match;
    std::string_view value;
  };

  explicit PodFilter(const api::PodSelectorSpec& selector) : selector_(&selector) {}

  void CheckLabels(const std::string& path, PlanProblems& problems) const;
  void CheckRequirements(const std::string& path, PlanProblems& problems) const;
  void ReadFields(const std::string& path, PlanProblems& problems);
  void ReadNodes(const std::string& path, const PodIndex& index, PlanProblems& problems);
  void ReadPhases(const std::string& path, PlanProblems& problems);

  bool MatchesPhase(const Pod& pod) const;

  const api::PodSelectorSpec* selector_;
  std::vector<FieldCriterion> fields_;
  std::optional<std::unordered_set<std::string_view>> nodes_;  // absent: any node, or none
  std::vector<std::string_view> phases_;                       // one of these, unless there are none
  std::vector<std::string_view> phases_not_;                   // none of these
};

}  // namespace sabot::plan

#endif  // SABOT_CONTROLLER_PLAN_POD_FILTER_H_
