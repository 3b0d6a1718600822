// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/plan/planning.h"

namespace sabot::plan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string TimeChaos(std::string_view fields) {
  return api::StrCat("{apiVersion: chaos-mesh.org/v1alpha1, kind: TimeChaos, metadata: {name: test, ",
                     "namespace: demo}, spec: {mode: all, selector: {labelSelectors: {app: client}}, ",
                     fields, "}}\n");
}

// "demo/client: 3600000000000ns 0ppb of 0 1"
std::vector<std::string> ClocksOf(const PlanResult& result) {
  std::vector<std::string> texts;
  for (const sabot::v1::Fault& fault : result.maps.at("").faults()) {
    const auto& clock = fault.clock();
    texts.push_back(api::StrCat(fault.target().name(), ": ", clock.skew().offset_ns(), "ns ",
                                clock.skew().rate_ppb(), "ppb of ", absl::StrJoin(clock.clock_ids(), " ")));
  }
  return texts;
}

Inventory WithContainers() {
  Inventory world = SmallWorld();
  for (const char* name : {"app", "sidecar"}) {
    Container container{.name = name, .target = {}};
    container.target.set_container(api::StrCat("containerd://", name));
    world.pods[0].containers.push_back(container);
  }
  return world;
}

TEST(PlanTime, OffsetRateAndClocks) {
  EXPECT_THAT(ClocksOf(PlanYaml(TimeChaos("timeOffset: -1h1ns"))),
              ElementsAre("demo/client: -3600000000001ns 0ppb of 0"));
  EXPECT_THAT(ClocksOf(PlanYaml(TimeChaos("timeOffset: 1s, clockIds: [CLOCK_BOOTTIME, CLOCK_MONOTONIC, "
                                          "CLOCK_BOOTTIME], sabot: {driftPpm: -20}"))),
              ElementsAre("demo/client: 1000000000ns -20000ppb of 7 1"));
  EXPECT_THAT(ClocksOf(PlanYaml(TimeChaos("timeOffset: 0s, sabot: {freeze: true}"))),
              ElementsAre("demo/client: 0ns -1000000000ppb of 0"));
}

TEST(PlanTime, TheFirstContainerOrThoseThatAreNamed) {
  const PlanResult first = PlanYaml(TimeChaos("timeOffset: 1ns"), WithContainers());
  EXPECT_THAT(ClocksOf(first), ElementsAre("demo/client/app: 1ns 0ppb of 0"));
  EXPECT_EQ(first.maps.at("").faults(0).target().container(), "containerd://app");
  EXPECT_THAT(
      ClocksOf(PlanYaml(TimeChaos("timeOffset: 1ns, containerNames: [sidecar, none]"), WithContainers())),
      ElementsAre("demo/client/sidecar: 1ns 0ppb of 0"));
  const PlanResult both =
      PlanYaml(TimeChaos("timeOffset: 1ns, containerNames: [sidecar, app]"), WithContainers());
  EXPECT_THAT(ClocksOf(both),
              ElementsAre("demo/client/app: 1ns 0ppb of 0", "demo/client/sidecar: 1ns 0ppb of 0"));
  EXPECT_NE(both.maps.at("").faults(0).id(), both.maps.at("").faults(1).id());
}

TEST(PlanTime, WhatCannotBeDoneIsAnError) {
  EXPECT_THAT(ProblemsOf(PlanYaml(TimeChaos("timeOffset: 1h, clockIds: [CLOCK_TAI]"))),
              ElementsAre("spec.clockIds[0]: unknown clock id CLOCK_TAI"));
  EXPECT_THAT(ProblemsOf(PlanYaml(TimeChaos("timeOffset: 1h, remoteCluster: far"))),
              ElementsAre("spec.remoteCluster: not supported by this version"));
  const PlanResult none = PlanYaml(TimeChaos("timeOffset: 1h, containerNames: [none]"), WithContainers());
  EXPECT_THAT(ProblemsOf(none), ElementsAre("there is nothing to inject"));
  EXPECT_THAT(ProblemsOf(none, api::Severity::kWarning),
              ElementsAre("spec.containerNames: pod demo/client has no container of these names"));
}

// hostNetwork matters to network faults only.
TEST(PlanTime, APodOnTheMachinesNetworkIsAPodLikeOthers) {
  Inventory world = SmallWorld();
  world.pods[0].host_network = true;
  const PlanResult result = PlanYaml(TimeChaos("timeOffset: 1h"), world);
  EXPECT_THAT(ProblemsOf(result), IsEmpty());
  EXPECT_THAT(ClocksOf(result), ElementsAre("demo/client: 3600000000000ns 0ppb of 0"));
}

}  // namespace
}  // namespace sabot::plan
