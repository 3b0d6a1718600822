// SPDX-License-Identifier: Apache-2.0
#include "controller/plan/network_sides.h"

#include <utility>

#include "controller/api/report.h"
#include "controller/api/str_cat.h"
#include "controller/plan/select.h"

namespace sabot::plan {
namespace {

using api::NetworkAction;
using api::NetworkDirection;
using sabot::v1::NetworkFault;
using Direction = NetworkFault::Direction;

constexpr Direction kNone = NetworkFault::DIRECTION_UNSPECIFIED;

struct Directions {
  Direction source;
  Direction target;
};

Directions DirectionsOf(const api::NetworkChaosSpec& spec) {
  const bool partition = spec.action == NetworkAction::kPartition;
  switch (spec.direction) {
    case NetworkDirection::kTo:
      return {NetworkFault::EGRESS, partition ? NetworkFault::INGRESS : kNone};
    case NetworkDirection::kFrom:
      return {partition ? NetworkFault::INGRESS : kNone, NetworkFault::EGRESS};
    case NetworkDirection::kBoth:
      return partition ? Directions{NetworkFault::BOTH, NetworkFault::BOTH}
                       : Directions{NetworkFault::EGRESS, NetworkFault::EGRESS};
  }
  return {kNone, kNone};
}

// The other end of the source side.
Peers SourcePeers(const api::NetworkChaosSpec& spec, const PodList& targets, const PodIndex& index,
                  PlanProblems& problems) {
  if (!spec.target && spec.external_targets.empty()) return Peers::All();
  Peers peers;
  peers.AddPods(targets, index, "spec.target.selector", problems);
  peers.AddExternalTargets(spec.external_targets, problems);
  peers.Seal();
  return peers;
}

Peers TargetPeers(const PodList& sources, const PodIndex& index, PlanProblems& problems) {
  Peers peers;
  peers.AddPods(sources, index, "spec.selector", problems);
  peers.Seal();
  return peers;
}

// A side with something to do and nobody to do it to would, in a looser design, hit everybody.
void CheckPeers(const NetworkSide& side, const PodList& others, std::string_view others_path,
                const PodIndex& index, PlanProblems& problems) {
  if (side.direction == kNone || !side.peers.empty() || others.empty()) return;
  problems.Error(others_path, api::StrCat("no selected pod has an address: ", NamesOf(others, index)));
}

// Device names are checked here: admission lets them pass.
void CheckDevice(std::string_view path, const std::string& device, PlanProblems& problems) {
  if (device.size() <= 15) return;
  problems.Error(
      path, api::StrCat(api::Quoted(device), " is longer than the 15 bytes that a device's name can have"));
}

}  // namespace

std::optional<std::vector<NetworkSide>> NetworkSides(const api::NetworkChaosSpec& spec,
                                                     bool filter_namespaces, PodIndex& index,
                                                     absl::BitGenRef rng, PlanProblems& problems) {
  const size_t errors_before = problems.errors();
  std::optional<PodList> sources = SelectPods(spec.source, "spec", filter_namespaces, index, rng, problems);
  std::optional<PodList> targets = PodList();
  if (spec.target) targets = SelectPods(*spec.target, "spec.target", filter_namespaces, index, rng, problems);
  CheckDevice("spec.device", spec.device, problems);
  CheckDevice("spec.targetDevice", spec.target_device, problems);

  const Directions directions = DirectionsOf(spec);
  if (!spec.target && directions.source == kNone) {
    problems.Error("spec.direction", "`from` needs a target");  // refused by validation already
  }
  const PodList none;
  NetworkSide source{".", sources.value_or(none), directions.source, spec.device, {}};
  NetworkSide target{".Target", targets.value_or(none), directions.target, spec.target_device, {}};
  if (source.direction != kNone) source.peers = SourcePeers(spec, target.pods, index, problems);
  if (target.direction != kNone) target.peers = TargetPeers(source.pods, index, problems);
  CheckPeers(source, target.pods, "spec.target.selector", index, problems);
  if (spec.target) CheckPeers(target, source.pods, "spec.selector", index, problems);
  if (problems.errors() != errors_before) return std::nullopt;

  std::vector<NetworkSide> sides;
  sides.push_back(std::move(source));
  if (spec.target) sides.push_back(std::move(target));
  return sides;
}

}  // namespace sabot::plan
