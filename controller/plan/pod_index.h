// SPDX-License-Identifier: Apache-2.0
//
// An inventory made searchable for one planning run.
#ifndef SABOT_CONTROLLER_PLAN_POD_INDEX_H_
#define SABOT_CONTROLLER_PLAN_POD_INDEX_H_

#include <cstdint>
#include <map>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "controller/plan/inventory.h"

namespace sabot::plan {

// Positions in Inventory::pods.
using PodList = std::vector<uint32_t>;

// Lists are in the order of an API server: by name. The inventory must outlive the index, and so must the
// keys that are looked up. One thread.
class PodIndex {
 public:
  explicit PodIndex(const Inventory& inventory);

  const Inventory& inventory() const { return inventory_; }
  const Pod& pod(uint32_t position) const { return inventory_.pods[position]; }

  absl::Span<const uint32_t> InNamespace(std::string_view ns) const;
  // The pods of the namespace with this label. What is found out is kept: the first question for a label
  // costs one pass over the namespace, each further one a look-up.
  absl::Span<const uint32_t> WithLabel(std::string_view ns, std::string_view key, std::string_view value);

  // A pod's position, or -1.
  int64_t FindPod(std::string_view ns, std::string_view name) const;
  const Node* FindNode(std::string_view name) const;
  const Namespace* FindNamespace(std::string_view name) const;

 private:
  using ByValue = std::unordered_map<std::string_view, PodList>;

  const Inventory& inventory_;
  std::unordered_map<std::string_view, PodList> by_namespace_;
  std::map<std::pair<std::string_view, std::string_view>, ByValue> by_label_;  // of namespace and key
  std::unordered_map<std::string_view, const Node*> nodes_;
  std::unordered_map<std::string_view, const Namespace*> namespaces_;
};

}  // namespace sabot::plan

#endif  // SABOT_CONTROLLER_PLAN_POD_INDEX_H_
