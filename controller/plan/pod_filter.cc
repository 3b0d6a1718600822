// SPDX-License-Identifier: Apache-2.0
#include "controller/plan/pod_filter.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "controller/api/names.h"
#include "controller/api/report.h"
#include "controller/api/str_cat.h"

namespace sabot::plan {
namespace {

using api::LabelRequirement;
using api::Quoted;
using api::StrCat;
using api::StringMap;

bool HasAll(const StringMap& have, const StringMap& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&have](const auto& want) {
    const auto it = have.find(want.first);
    return it != have.end() && it->second == want.second;
  });
}

bool Matches(const LabelRequirement& requirement, const StringMap& labels) {
  const auto it = labels.find(requirement.key);
  const bool exists = it != labels.end();
  if (requirement.op == "Exists") return exists;
  if (requirement.op == "DoesNotExist") return !exists;
  const bool listed = exists && std::find(requirement.values.begin(), requirement.values.end(), it->second) !=
                                    requirement.values.end();
  // As Kubernetes has it, a pod without the label is NotIn.
  return requirement.op == "In" ? listed : !listed;
}

// The fields of a pod that an API server selects by, as far as the inventory has them; and for the others
// that they are known.
struct Field {
  std::string_view key;
  bool (*match)(const Pod& pod, std::string_view value);
};

constexpr Field kFields[] = {
    {"metadata.name", [](const Pod& pod, std::string_view value) { return pod.name == value; }},
    {"metadata.namespace", [](const Pod& pod, std::string_view value) { return pod.ns == value; }},
    {"spec.nodeName", [](const Pod& pod, std::string_view value) { return pod.node == value; }},
    {"spec.host", [](const Pod& pod, std::string_view value) { return pod.node == value; }},
    {"spec.hostNetwork",
     [](const Pod& pod, std::string_view value) { return value == (pod.host_network ? "true" : "false"); }},
    {"status.phase", [](const Pod& pod, std::string_view value) { return pod.phase == value; }},
    {"status.podIP",
     [](const Pod& pod, std::string_view value) {
       return value == (pod.addresses.empty() ? "" : pod.addresses.front().ToString());
     }},
    {"spec.restartPolicy", nullptr},
    {"spec.schedulerName", nullptr},
    {"spec.serviceAccountName", nullptr},
    {"status.nominatedNodeName", nullptr},
    {"status.podIPs", nullptr},
};

std::string_view Stripped(std::string_view text) {
  while (!text.empty() && absl::ascii_isspace(text.front())) text.remove_prefix(1);
  while (!text.empty() && absl::ascii_isspace(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

std::optional<PodFilter> PodFilter::Create(const api::PodSelectorSpec& selector, const std::string& path,
                                           const PodIndex& index, PlanProblems& problems) {
  PodFilter filter(selector);
  const size_t errors_before = problems.errors();
  filter.CheckLabels(path, problems);
  filter.CheckRequirements(path, problems);
  filter.ReadFields(path, problems);
  filter.ReadNodes(path, index, problems);
  filter.ReadPhases(path, problems);
  if (problems.errors() != errors_before) return std::nullopt;
  return filter;
}

void PodFilter::CheckLabels(const std::string& path, PlanProblems& problems) const {
  for (const auto& [key, value] : selector_->label_selectors) {
    if (api::IsLabelKey(key) && api::IsLabelValue(value)) continue;
    problems.Error(path + ".labelSelectors", StrCat(Quoted(StrCat(key, "=", value)), " is no label"));
  }
}

void PodFilter::CheckRequirements(const std::string& path, PlanProblems& problems) const {
  for (size_t i = 0; i < selector_->expression_selectors.size(); ++i) {
    const LabelRequirement& requirement = selector_->expression_selectors[i];
    const std::string at = StrCat(path, ".expressionSelectors[", i, "]");
    const bool set = requirement.op == "In" || requirement.op == "NotIn";
    if (!set && requirement.op != "Exists" && requirement.op != "DoesNotExist") {
      problems.Error(at + ".operator",
                     StrCat(Quoted(requirement.op), " is not a valid label selector operator"));
    } else if (set && requirement.values.empty()) {
      problems.Error(at + ".values", "for 'in', 'notin' operators, values set can't be empty");
    } else if (!set && !requirement.values.empty()) {
      problems.Error(at + ".values", "values set must be empty for exists and does not exist");
    }
    if (!api::IsLabelKey(requirement.key)) {
      problems.Error(at + ".key", StrCat(Quoted(requirement.key), " is no label key"));
    }
  }
}

void PodFilter::ReadFields(const std::string& path, PlanProblems& problems) {
  for (const auto& [key, value] : selector_->field_selectors) {
    const auto it = std::find_if(std::begin(kFields), std::end(kFields),
                                 [&key = key](const Field& field) { return field.key == key; });
    if (it == std::end(kFields)) {
      problems.Error(path + ".fieldSelectors", StrCat("field label not supported: ", key));
    } else if (it->match == nullptr) {
      problems.Error(path + ".fieldSelectors", StrCat(key, ": not supported by this version"));
    } else {
      fields_.push_back({it->match, value});
    }
  }
}

void PodFilter::ReadNodes(const std::string& path, const PodIndex& index, PlanProblems& problems) {
  if (selector_->nodes.empty() && selector_->node_selectors.empty()) return;
  nodes_.emplace();
  for (size_t i = 0; i < selector_->nodes.size(); ++i) {
    const std::string& name = selector_->nodes[i];
    nodes_->insert(name);
    if (index.FindNode(name) != nullptr) continue;
    problems.Error(StrCat(path, ".nodes[", i, "]"), StrCat("nodes ", Quoted(name), " not found"));
  }
  if (selector_->node_selectors.empty()) return;
  for (const Node& node : index.inventory().nodes) {
    if (HasAll(node.labels, selector_->node_selectors)) nodes_->insert(node.name);
  }
}

void PodFilter::ReadPhases(const std::string& path, PlanProblems& problems) {
  for (size_t i = 0; i < selector_->pod_phase_selectors.size(); ++i) {
    std::string_view rest = selector_->pod_phase_selectors[i];
    // Upstream joins the items with commas before it reads them, so one item may hold several.
    while (!rest.empty()) {
      const size_t comma = rest.find(',');
      std::string_view phase = Stripped(rest.substr(0, comma));
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
      const bool exclude = phase.starts_with('!');
      if (exclude) phase = Stripped(phase.substr(1));
      if (!api::IsLabelKey(phase)) {
        problems.Error(StrCat(path, ".podPhaseSelectors[", i, "]"),
                       StrCat(Quoted(phase), " is no phase of a pod"));
        continue;
      }
      (exclude ? phases_not_ : phases_).push_back(phase);
    }
  }
}

bool PodFilter::MatchesPhase(const Pod& pod) const {
  const auto has = [&pod](const std::vector<std::string_view>& phases) {
    return std::find(phases.begin(), phases.end(), pod.phase) != phases.end();
  };
  return (phases_.empty() || has(phases_)) && !has(phases_not_);
}

bool PodFilter::Matches(const Pod& pod) const {
  if (!HasAll(pod.labels, selector_->label_selectors)) return false;
  if (!HasAll(pod.annotations, selector_->annotation_selectors)) return false;
  for (const LabelRequirement& requirement : selector_->expression_selectors) {
    if (!plan::Matches(requirement, pod.labels)) return false;
  }
  for (const FieldCriterion& field : fields_) {
    if (!field.match(pod, field.value)) return false;
  }
  if (nodes_ && !nodes_->contains(pod.node)) return false;
  return MatchesPhase(pod);
}

}  // namespace sabot::plan
