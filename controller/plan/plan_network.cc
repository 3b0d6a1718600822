// SPDX-License-Identifier: Apache-2.0
#include "controller/plan/plan_network.h"

#include <optional>
#include <string>
#include <unordered_set>

#include "controller/api/str_cat.h"
#include "controller/plan/network_effects.h"
#include "controller/plan/network_sides.h"

namespace sabot::plan {
namespace {

using api::StrCat;
using sabot::v1::NetworkFault;

// Why the pod must not be hit; empty: it may be.
std::string RefusalOf(const Pod& pod, const PlanOptions& options) {
  if (pod.host_network && !options.allow_host_network) {
    return StrCat("It's dangerous to inject network chaos on a pod(", pod.Id(), ") with hostNetwork");
  }
  if (!options.standalone && pod.node.empty()) return StrCat("pod ", pod.Id(), " is not on a node");
  return "";
}

// One fault per effect at one pod of the side.
void PlanPod(const NetworkSide& side, const std::vector<NetworkEffect>& effects, const Pod& pod,
             bool also_source, Draft& draft) {
  Record& record = draft.AddRecord(pod, side.selector_key);
  if (side.direction == NetworkFault::DIRECTION_UNSPECIFIED) return;
  if (std::string reason = RefusalOf(pod, draft.options()); !reason.empty()) {
    draft.Refuse(record, std::move(reason));
    return;
  }
  NetworkFault common;
  const size_t peers = side.peers.Apply(pod, common);
  if (peers == 0) {
    record.message = StrCat("nothing to inject: the only peer of pod ", pod.Id(), " is itself");
    return;
  }
  common.set_direction(side.direction);
  common.set_device(side.device);
  for (const NetworkEffect& effect : effects) {
    NetworkFault& fault =
        *draft.AddFault(record, pod, effect.name, also_source ? "-target" : "").mutable_network();
    fault = common;
    fault.MergeFrom(effect.fault);
    draft.CountPeers(peers);
  }
}

}  // namespace

void PlanNetworkChaos(const api::NetworkChaosSpec& spec, PodIndex& index, absl::BitGenRef rng, Draft& draft) {
  if (!spec.remote_cluster.empty()) {
    draft.problems().Error("spec.remoteCluster", "not supported by this version");
  }
  draft.SetLifetime(spec.duration);
  draft.SetSabotOptions(spec.sabot);
  const std::vector<NetworkEffect> effects = NetworkEffects(spec, draft.problems());
  const auto sides = NetworkSides(spec, draft.options().filter_namespaces, index, rng, draft.problems());
  if (!sides || draft.problems().errors() > 0) return;

  std::unordered_set<uint32_t> hit_as_source;
  for (const NetworkSide& side : *sides) {
    const bool source = side.selector_key == ".";
    for (uint32_t position : side.pods) {
      // Bounds the work and the memory, not only the result.
      if (draft.peers() > draft.options().max_peers) break;
      PlanPod(side, effects, index.pod(position), !source && hit_as_source.contains(position), draft);
      if (source && side.direction != NetworkFault::DIRECTION_UNSPECIFIED) hit_as_source.insert(position);
    }
  }
  draft.CheckCaps();
}

}  // namespace sabot::plan
