// SPDX-License-Identifier: Apache-2.0
#include "controller/plan/peers.h"

#include <algorithm>

#include "controller/api/str_cat.h"
#include "controller/plan/external_target.h"

namespace sabot::plan {

using api::StrAppend;
using api::StrCat;

Peers Peers::All() {
  Peers peers;
  peers.all_ = true;
  return peers;
}

void Peers::AddPods(const PodList& pods, const PodIndex& index, std::string_view path,
                    PlanProblems& problems) {
  PodList without;
  for (uint32_t position : pods) {
    const std::vector<IpAddress>& addresses = index.pod(position).addresses;
    if (addresses.empty()) without.push_back(position);
    for (const IpAddress& address : addresses) prefixes_.push_back(IpPrefix::Of(address));
  }
  // When nobody has one, the caller's error says so.
  if (without.empty() || without.size() == pods.size()) return;
  problems.Warning(path, StrCat("packets of these pods are not affected, they have no address: ",
                                NamesOf(without, index)));
}

void Peers::AddExternalTargets(const std::vector<std::string>& targets, PlanProblems& problems) {
  for (size_t i = 0; i < targets.size(); ++i) {
    const absl::StatusOr<IpPrefix> prefix = ParseExternalTarget(targets[i]);
    if (prefix.ok()) {
      prefixes_.push_back(*prefix);
    } else {
      problems.Error(StrCat("spec.externalTargets[", i, "]"), StrCat(prefix.status().message()));
    }
  }
}

void Peers::Seal() {
  std::sort(prefixes_.begin(), prefixes_.end());
  prefixes_.erase(std::unique(prefixes_.begin(), prefixes_.end()), prefixes_.end());
}

size_t Peers::Apply(const Pod& pod, sabot::v1::NetworkFault& fault) const {
  if (all_) {
    fault.set_all_peers(true);
    return 1;
  }
  const auto is_own = [&pod](const IpPrefix& prefix) {
    return std::any_of(pod.addresses.begin(), pod.addresses.end(),
                       [&prefix](const IpAddress& own) { return IpPrefix::Of(own) == prefix; });
  };
  fault.mutable_peers()->Reserve(static_cast<int>(prefixes_.size()));
  for (const IpPrefix& prefix : prefixes_) {
    if (is_own(prefix)) continue;
    sabot::v1::NetworkFault::Prefix& peer = *fault.add_peers();
    const absl::Span<const uint8_t> bytes = prefix.address.bytes();
    peer.set_address(bytes.data(), bytes.size());
    peer.set_length(static_cast<uint32_t>(prefix.length));
  }
  return static_cast<size_t>(fault.peers_size());
}

std::string NamesOf(const PodList& pods, const PodIndex& index) {
  constexpr size_t kShown = 5;
  std::string names;
  for (size_t i = 0; i < std::min(pods.size(), kShown); ++i) {
    StrAppend(names, names.empty() ? "" : ", ", index.pod(pods[i]).Id());
  }
  if (pods.size() > kShown) StrAppend(names, " and ", pods.size() - kShown, " more");
  return names;
}

}  // namespace sabot::plan
