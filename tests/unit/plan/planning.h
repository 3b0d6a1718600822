// SPDX-License-Identifier: Apache-2.0
//
// A small world to plan in, and plans as text.
#ifndef SABOT_TESTS_UNIT_PLAN_PLANNING_H_
#define SABOT_TESTS_UNIT_PLAN_PLANNING_H_

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "controller/api/manifest.h"
#include "controller/api/str_cat.h"
#include "controller/plan/plan.h"
#include "gtest/gtest.h"

namespace sabot::plan {

inline Pod MakePod(std::string_view ns, std::string_view name, api::StringMap labels,
                   const std::vector<std::string>& addresses) {
  Pod pod;
  pod.ns = ns;
  pod.name = name;
  pod.labels = std::move(labels);
  for (const std::string& text : addresses) pod.addresses.push_back(*IpAddress::Parse(text));
  pod.target.set_name(pod.Id());
  pod.target.set_netns(pod.name);
  return pod;
}

// demo/client, demo/server (two addresses), demo/db, demo/mute (no address), other/server.
inline Inventory SmallWorld() {
  Inventory world;
  world.pods.push_back(MakePod("demo", "client", {{"app", "client"}}, {"10.0.0.1"}));
  world.pods.push_back(MakePod("demo", "server", {{"app", "server"}}, {"10.0.0.2", "fd00::2"}));
  world.pods.push_back(MakePod("demo", "db", {{"app", "db"}}, {"10.0.0.3"}));
  world.pods.push_back(MakePod("demo", "mute", {{"app", "mute"}}, {}));
  world.pods.push_back(MakePod("other", "server", {{"app", "server"}}, {"10.1.0.2"}));
  return world;
}

// A NetworkChaos demo/test that selects app=client, with this spec besides (flow style, without braces).
inline std::string Chaos(std::string_view spec, std::string_view name = "test") {
  std::string yaml =
      api::StrCat("{apiVersion: chaos-mesh.org/v1alpha1, kind: NetworkChaos, metadata: {name: ", name,
                  ", namespace: demo}, spec: {");
  if (spec.find("selector:") != 0) yaml += "selector: {labelSelectors: {app: client}}, ";
  if (spec.find(" mode:") == spec.npos || spec.find("target:") < spec.find(" mode:")) yaml += "mode: all, ";
  return api::StrCat(yaml, spec, "}}\n");
}

// "target: " for app=server.
constexpr std::string_view kServer = "target: {mode: all, selector: {labelSelectors: {app: server}}}";

inline std::vector<api::Experiment> Experiments(std::string_view yaml) {
  api::Manifests manifests = api::ParseManifests(yaml, "test.yaml");
  for (const api::Problem& problem : manifests.problems) {
    EXPECT_NE(problem.severity, api::Severity::kError) << ToString(problem);
  }
  return std::move(manifests.experiments);
}

inline PlanResult PlanYaml(std::string_view yaml, const Inventory& inventory = SmallWorld(),
                           const PlanOptions& options = {}, uint64_t seed = 1) {
  std::mt19937_64 rng(seed);
  return Plan(Experiments(yaml), inventory, options, rng);
}

// "spec.loss.loss: message" for each problem of all experiments.
inline std::vector<std::string> ProblemsOf(const PlanResult& result,
                                           api::Severity severity = api::Severity::kError) {
  std::vector<std::string> texts;
  for (const PlannedExperiment& experiment : result.experiments) {
    for (const api::Problem& problem : experiment.problems) {
      if (problem.severity != severity) continue;
      texts.push_back(problem.field.empty() ? problem.message
                                            : api::StrCat(problem.field, ": ", problem.message));
    }
  }
  return texts;
}

inline std::string ToText(const sabot::v1::NetworkFault::Prefix& prefix) {
  const std::string& bytes = prefix.address();
  const auto address = IpAddress::FromBytes({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
  return address.ok() ? IpPrefix{*address, static_cast<int>(prefix.length())}.ToString() : "?";
}

// "demo/client: loss 20% EGRESS eth0 to 10.0.0.2/32", "demo/client: partition BOTH to all".
inline std::string ToText(const sabot::v1::Fault& fault) {
  const sabot::v1::NetworkFault& network = fault.network();
  std::string text = fault.target().name() + ": ";
  if (network.has_loss()) {
    api::StrAppend(text, "loss ", static_cast<int>(network.loss().percent()), "%");
  } else if (network.has_delay()) {
    api::StrAppend(text, "delay ", network.delay().latency_ns(), "ns");
  } else if (network.has_partition()) {
    text += "partition";
  }
  api::StrAppend(text, " ", sabot::v1::NetworkFault::Direction_Name(network.direction()));
  if (!network.device().empty()) api::StrAppend(text, " ", network.device());
  text += network.all_peers() ? " with all" : " with";
  for (const auto& peer : network.peers()) api::StrAppend(text, " ", ToText(peer));
  return text;
}

inline std::vector<std::string> FaultsOf(const PlanResult& result, const std::string& node = "") {
  std::vector<std::string> texts;
  const auto map = result.maps.find(node);
  if (map == result.maps.end()) return texts;
  for (const sabot::v1::Fault& fault : map->second.faults()) texts.push_back(ToText(fault));
  return texts;
}

}  // namespace sabot::plan

#endif  // SABOT_TESTS_UNIT_PLAN_PLANNING_H_
