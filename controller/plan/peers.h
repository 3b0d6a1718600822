// SPDX-License-Identifier: Apache-2.0
//
// The other end of a network fault.
#ifndef SABOT_CONTROLLER_PLAN_PEERS_H_
#define SABOT_CONTROLLER_PLAN_PEERS_H_

#include <string>
#include <string_view>
#include <vector>

#include "controller/api/network_chaos.h"
#include "controller/plan/ip_address.h"
#include "controller/plan/plan_problems.h"
#include "controller/plan/pod_index.h"
#include "sabot/v1/fault.pb.h"

namespace sabot::plan {

class Peers {
 public:
  // Every packet, whatever its addresses.
  static Peers All();
  static Peers None() { return Peers(); }

  // Adds all addresses of all pods, of both families. Pods without an address are a warning at `path`.
  void AddPods(const PodList& pods, const PodIndex& index, std::string_view path, PlanProblems& problems);
  // Adds `spec.externalTargets`; those that cannot be used are errors.
  void AddExternalTargets(const std::vector<std::string>& targets, PlanProblems& problems);
  // To be called when all are added: sorts them and drops repetitions.
  void Seal();

  // Nobody: a fault with these peers must not be made.
  bool empty() const { return !all_ && prefixes_.empty(); }
  size_t size() const { return prefixes_.size(); }

  // Sets the peers of a fault at `pod` to these without the pod's own addresses, and returns how many they
  // are; 0 and an unchanged fault when there are none. "All" counts as 1.
  size_t Apply(const Pod& pod, sabot::v1::NetworkFault& fault) const;

 private:
  bool all_ = false;
  std::vector<IpPrefix> prefixes_;
};

// "demo/a, demo/b and 7 more".
std::string NamesOf(const PodList& pods, const PodIndex& index);

}  // namespace sabot::plan

#endif  // SABOT_CONTROLLER_PLAN_PEERS_H_
