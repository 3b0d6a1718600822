// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a manifest: parsed, validated and planned against a small world. What comes out must keep the
// promises of fault.proto, whatever went in.
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <unordered_set>

#include "controller/api/manifest.h"
#include "controller/plan/plan.h"

namespace sabot::plan {
namespace {

void Require(bool holds) {
  if (!holds) __builtin_trap();
}

Inventory World() {
  Inventory world;
  const std::string_view targets[] = {"default/a=pid:1,app=web", "default/b=netns:b,app=db",
                                      "demo/client=pid:2,app=client", "demo/server=unit:x.service,app=server",
                                      "demo/host=cgroup:/x,app=web"};
  for (std::string_view target : targets) Require(AddTarget(target, world).ok());
  uint8_t last = 0;
  for (Pod& pod : world.pods) {
    const uint8_t address[] = {10, 0, 0, ++last};
    pod.addresses = {*IpAddress::FromBytes(address), *IpAddress::Parse("fd00::1")};
    pod.node = last % 2 == 0 ? "n1" : "n2";
  }
  world.pods.back().host_network = true;
  world.pods.back().addresses.clear();
  world.nodes = {{"n1", {{"zone", "a"}}}, {"n2", {}}};
  world.namespaces = {{"default", {}, {}}, {"demo", {}, {{"chaos-mesh.org/inject", "enabled"}}}};
  return world;
}

void CheckNetworkFault(const sabot::v1::NetworkFault& network) {
  Require(network.direction() != sabot::v1::NetworkFault::DIRECTION_UNSPECIFIED);
  Require(network.device().size() <= 15);
  Require(network.all_peers() == (network.peers_size() == 0));
  Require(network.effect_case() != sabot::v1::NetworkFault::EFFECT_NOT_SET);
  if (network.has_loss()) Require(network.loss().percent() >= 0 && network.loss().percent() <= 100);
  if (network.has_delay()) {
    Require(network.delay().latency_ns() >= 1 && network.delay().latency_ns() <= 3'600'000'000'000);
    Require(network.direction() == sabot::v1::NetworkFault::EGRESS);
  }
  for (const auto& peer : network.peers()) {
    Require(peer.address().size() == 4 || peer.address().size() == 16);
    Require(peer.length() <= peer.address().size() * 8);
  }
}

void CheckMap(const sabot::v1::NodeFaultMap& map) {
  Require(map.faults_size() <= 8192);
  std::unordered_set<std::string> ids;
  for (const sabot::v1::Fault& fault : map.faults()) {
    Require(!fault.id().empty() && fault.id().size() <= 512 && ids.insert(fault.id()).second);
    Require(fault.target().kind_case() != sabot::v1::Target::KIND_NOT_SET);
    Require(fault.expires_in_ms() <= uint64_t{1} << 53);
    Require(fault.has_network());
    CheckNetworkFault(fault.network());
  }
  // Strings of a message must be UTF-8, or the other end refuses it.
  sabot::v1::NodeFaultMap copy;
  Require(copy.ParseFromString(map.SerializeAsString()));
}

void CheckPlan(const api::Manifests& manifests, const PlanOptions& options) {
  static const Inventory* const kWorld = new Inventory(World());
  std::mt19937_64 rng(1);
  const PlanResult result = Plan(manifests.experiments, *kWorld, options, rng);
  Require(result.experiments.size() == manifests.experiments.size());
  for (const auto& [node, map] : result.maps) CheckMap(map);
  for (const PlannedExperiment& experiment : result.experiments) {
    for (const api::Problem& problem : experiment.problems) Require(!problem.message.empty());
    size_t faults = 0;
    for (const Record& record : experiment.records) faults += record.fault_ids.size();
    Require(experiment.ok() == (faults > 0));
  }
}

}  // namespace
}  // namespace sabot::plan

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view content(reinterpret_cast<const char*>(data), size);
  const sabot::api::Manifests manifests = sabot::api::ParseManifests(content, "fuzz.yaml");
  for (const sabot::api::Problem& problem : manifests.problems) {
    sabot::plan::Require(!problem.message.empty() && ToString(problem).size() < 4096);
  }
  // Nothing at all happens silently.
  sabot::plan::Require(!manifests.experiments.empty() || !manifests.ok());
  sabot::plan::CheckPlan(manifests, {});
  sabot::plan::PlanOptions cluster;
  cluster.standalone = false;
  cluster.allow_host_network = true;
  cluster.filter_namespaces = size % 2 == 0;
  sabot::plan::CheckPlan(manifests, cluster);
  return 0;
}
