// SPDX-License-Identifier: Apache-2.0
#include "controller/plan/pod_index.h"

#include <algorithm>
#include <string>

namespace sabot::plan {

PodIndex::PodIndex(const Inventory& inventory) : inventory_(inventory) {
  for (uint32_t i = 0; i < inventory.pods.size(); ++i) by_namespace_[inventory.pods[i].ns].push_back(i);
  for (auto& [ns, pods] : by_namespace_) {
    std::sort(pods.begin(), pods.end(), [this](uint32_t a, uint32_t b) { return pod(a).name < pod(b).name; });
  }
  for (const Node& node : inventory.nodes) nodes_.emplace(node.name, &node);
  for (const Namespace& ns : inventory.namespaces) namespaces_.emplace(ns.name, &ns);
}

absl::Span<const uint32_t> PodIndex::InNamespace(std::string_view ns) const {
  const auto it = by_namespace_.find(ns);
  return it != by_namespace_.end() ? absl::MakeConstSpan(it->second) : absl::Span<const uint32_t>();
}

absl::Span<const uint32_t> PodIndex::WithLabel(std::string_view ns, std::string_view key,
                                               std::string_view value) {
  const auto [it, is_new] = by_label_.try_emplace({ns, key});
  ByValue& by_value = it->second;
  if (is_new) {
    const std::string label(key);
    for (uint32_t position : InNamespace(ns)) {
      const auto found = pod(position).labels.find(label);
      if (found != pod(position).labels.end()) by_value[found->second].push_back(position);
    }
  }
  const auto found = by_value.find(value);
  return found != by_value.end() ? absl::MakeConstSpan(found->second) : absl::Span<const uint32_t>();
}

int64_t PodIndex::FindPod(std::string_view ns, std::string_view name) const {
  const absl::Span<const uint32_t> pods = InNamespace(ns);
  const auto it = std::lower_bound(
      pods.begin(), pods.end(), name,
      [this](uint32_t position, std::string_view wanted) { return pod(position).name < wanted; });
  return it != pods.end() && pod(*it).name == name ? static_cast<int64_t>(*it) : -1;
}

const Node* PodIndex::FindNode(std::string_view name) const {
  const auto it = nodes_.find(name);
  return it != nodes_.end() ? it->second : nullptr;
}

const Namespace* PodIndex::FindNamespace(std::string_view name) const {
  const auto it = namespaces_.find(name);
  return it != namespaces_.end() ? it->second : nullptr;
}

}  // namespace sabot::plan
