// SPDX-License-Identifier: Apache-2.0
//
// No step of planning may be quadratic. The bounds are ten times what a slow machine needs.
#include <chrono>

#include "gtest/gtest.h"
#include "tests/unit/plan/planning.h"

namespace sabot::plan {
namespace {

using api::StrCat;

Inventory LargeWorld(int pods) {
  Inventory world;
  for (int i = 0; i < pods; ++i) {
    world.pods.push_back(MakePod(StrCat("ns", i % 100), StrCat("pod-", i),
                                 {{"app", StrCat("app", i % 5000)}, {"id", StrCat(i)}},
                                 {StrCat("10.", i >> 16 & 255, ".", i >> 8 & 255, ".", i & 255)}));
    world.pods.back().node = StrCat("node", i % 5000);
  }
  return world;
}

TEST(Scale, ManyExperimentsOnManyPods) {
  const Inventory world = LargeWorld(150'000);
  std::vector<api::Experiment> experiments;
  for (int i = 0; i < 1000; ++i) {
    api::Experiment& experiment = experiments.emplace_back(Experiments(Chaos("action: partition"))[0]);
    experiment.metadata.name = StrCat("e", i);
    auto& spec = std::get<api::NetworkChaosSpec>(experiment.spec);
    spec.source.selector.namespaces = {StrCat("ns", i % 100)};
    spec.source.selector.label_selectors = {{"app", StrCat("app", i)}};
  }
  PlanOptions options;
  options.standalone = false;
  std::mt19937_64 rng;
  const auto start = std::chrono::steady_clock::now();
  const PlanResult result = Plan(experiments, world, options, rng);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  EXPECT_TRUE(result.ok());
  size_t faults = 0;
  for (const auto& [node, map] : result.maps) faults += static_cast<size_t>(map.faults_size());
  EXPECT_EQ(faults, 30'000u);  // each app has 30 pods
}

TEST(Scale, AllAgainstAllStopsAtTheCap) {
  const Inventory world = LargeWorld(150'000);
  std::string namespaces;
  for (int i = 0; i < 100; ++i) namespaces += StrCat("ns", i, ", ");
  const std::string all = StrCat("{namespaces: [", namespaces, "]}");
  const auto start = std::chrono::steady_clock::now();
  const PlanResult result = PlanYaml(
      Chaos(StrCat("selector: ", all,
                   ", action: partition, direction: both, target: {mode: all, selector: ", all, "}")),
      world);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
  EXPECT_FALSE(result.ok());
}

}  // namespace
}  // namespace sabot::plan
