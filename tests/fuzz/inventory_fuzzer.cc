// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as an inventory file, and its first line as a --target flag. What is accepted must have unique
// names and a target each, and planning on it must not fail in any other way than by a problem.
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <unordered_set>

#include "controller/api/manifest.h"
#include "controller/plan/plan.h"

namespace sabot::plan {
namespace {

constexpr std::string_view kEverybody = R"(
apiVersion: chaos-mesh.org/v1alpha1
kind: NetworkChaos
metadata: {name: fuzz}
spec:
  action: partition
  mode: all
  direction: both
  selector: {namespaces: [default, demo], podPhaseSelectors: ["!Failed"]}
  target: {mode: fixed-percent, value: "50", selector: {namespaces: [default, demo], nodeSelectors: {a: b}}}
)";

void Require(bool holds) {
  if (!holds) __builtin_trap();
}

void CheckInventory(const Inventory& inventory) {
  std::unordered_set<std::string> names;
  for (const Pod& pod : inventory.pods) {
    Require(!pod.name.empty() && !pod.ns.empty() && names.insert(pod.Id()).second);
    Require(pod.target.kind_case() != sabot::v1::Target::KIND_NOT_SET && pod.target.name() == pod.Id());
    for (const Container& container : pod.containers) {
      Require(container.target.kind_case() != sabot::v1::Target::KIND_NOT_SET);
    }
  }
  static const api::Manifests* const kManifests =
      new api::Manifests(api::ParseManifests(kEverybody, "everybody.yaml"));
  Require(kManifests->ok());
  std::mt19937_64 rng(1);
  const PlanResult result = Plan(kManifests->experiments, inventory, {}, rng);
  for (const auto& fault : result.maps.at("").faults()) {
    Require(fault.network().peers_size() > 0 && !fault.network().all_peers());
  }
}

}  // namespace
}  // namespace sabot::plan

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view content(reinterpret_cast<const char*>(data), size);
  const sabot::plan::InventoryFile file = sabot::plan::ParseInventory(content, "fuzz.yaml");
  for (const sabot::api::Problem& problem : file.problems) sabot::plan::Require(!problem.message.empty());
  if (file.ok()) sabot::plan::CheckInventory(file.inventory);

  sabot::plan::Inventory inventory;
  const absl::Status added = AddTarget(content.substr(0, content.find('\n')), inventory);
  sabot::plan::Require(added.ok() == (inventory.pods.size() == 1));
  sabot::plan::Require(added.ok() != !added.message().empty());
  if (added.ok()) sabot::plan::CheckInventory(inventory);
  return 0;
}
