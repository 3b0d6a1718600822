// SPDX-License-Identifier: Apache-2.0
#include "controller/plan/select.h"

#include <unordered_set>
#include <utility>

#include "controller/api/str_cat.h"
#include "controller/plan/mode.h"
#include "controller/plan/pod_filter.h"

namespace sabot::plan {
namespace {

bool MayInject(const PodIndex& index, std::string_view ns) {
  const Namespace* found = index.FindNamespace(ns);
  if (found == nullptr) return false;
  const auto it = found->annotations.find("chaos-mesh.org/inject");
  return it != found->annotations.end() && it->second == "enabled";
}

// `pods` names what to take; what is not there is left out.
PodList NamedPods(const api::PodSelectorSpec& selector, bool filter_namespaces, const PodIndex& index) {
  PodList pods;
  std::unordered_set<uint32_t> taken;
  for (const auto& [ns, names] : selector.pods) {
    if (filter_namespaces && !MayInject(index, ns)) continue;
    for (const std::string& name : names) {
      const int64_t position = index.FindPod(ns, name);
      if (position < 0 || !taken.insert(static_cast<uint32_t>(position)).second) continue;
      pods.push_back(static_cast<uint32_t>(position));
    }
  }
  return pods;
}

// The pods of the namespace that can match: all of them, or those with the rarest of the labels asked for.
absl::Span<const uint32_t> Candidates(const api::PodSelectorSpec& selector, std::string_view ns,
                                      PodIndex& index) {
  absl::Span<const uint32_t> fewest = index.InNamespace(ns);
  for (const auto& [key, value] : selector.label_selectors) {
    const absl::Span<const uint32_t> labelled = index.WithLabel(ns, key, value);
    if (labelled.size() < fewest.size()) fewest = labelled;
  }
  return fewest;
}

PodList MatchingPods(const api::PodSelectorSpec& selector, const PodFilter& filter, bool filter_namespaces,
                     PodIndex& index) {
  PodList pods;
  std::unordered_set<std::string_view> visited;
  for (const std::string& ns : selector.namespaces) {
    if (!visited.insert(ns).second || (filter_namespaces && !MayInject(index, ns))) continue;
    for (uint32_t position : Candidates(selector, ns, index)) {
      if (filter.Matches(index.pod(position))) pods.push_back(position);
    }
  }
  return pods;
}

PodList Taken(const PodList& pods, const std::vector<size_t>& choice) {
  PodList taken;
  taken.reserve(choice.size());
  for (size_t i : choice) taken.push_back(pods[i]);
  return taken;
}

}  // namespace

std::optional<PodList> SelectPods(const api::PodSelector& selector, const std::string& path,
                                  bool filter_namespaces, PodIndex& index, absl::BitGenRef rng,
                                  PlanProblems& problems) {
  const std::string selector_path = path + ".selector";
  PodList pods;
  if (!selector.selector.pods.empty()) {
    pods = NamedPods(selector.selector, filter_namespaces, index);
  } else {
    const std::optional<PodFilter> filter =
        PodFilter::Create(selector.selector, selector_path, index, problems);
    if (!filter) return std::nullopt;
    pods = MatchingPods(selector.selector, *filter, filter_namespaces, index);
  }
  if (pods.empty()) {
    problems.Error(selector_path, "no pod is selected");
    return std::nullopt;
  }
  const absl::StatusOr<std::vector<size_t>> choice =
      ChooseByMode(selector.mode, selector.value, pods.size(), rng);
  if (!choice.ok()) {
    problems.Error(path + ".value", api::StrCat(choice.status().message()));
    return std::nullopt;
  }
  if (choice->empty()) {
    problems.Error(selector_path, "no pod is selected: mode random-max-percent drew 0 percent");
    return std::nullopt;
  }
  return Taken(pods, *choice);
}

}  // namespace sabot::plan
