// SPDX-License-Identifier: Apache-2.0
#include "controller/api/time_chaos.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/api/manifests.h"

namespace sabot::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A TimeChaos with these fields (flow style) beside selector and mode.
std::string Chaos(std::string_view fields) {
  return StrCat("{apiVersion: chaos-mesh.org/v1alpha1, kind: TimeChaos, metadata: {name: x}, ",
                "spec: {mode: all, selector: {labelSelectors: {app: web}}, ", fields, "}}\n");
}

TimeChaosSpec Spec(std::string_view fields) {
  const Manifests manifests = ParseManifests(Chaos(fields), "test.yaml");
  EXPECT_THAT(ProblemsOf(manifests, Severity::kError), IsEmpty());
  return manifests.experiments.empty() ? TimeChaosSpec()
                                       : std::get<TimeChaosSpec>(manifests.experiments.front().spec);
}

TEST(TimeChaos, DefaultsToTheWallClock) {
  const TimeChaosSpec spec = Spec("timeOffset: -10m100ns");
  EXPECT_EQ(spec.time_offset, "-10m100ns");
  EXPECT_THAT(spec.clock_ids, ElementsAre("CLOCK_REALTIME"));
  EXPECT_THAT(spec.container_names, IsEmpty());
  EXPECT_EQ(spec.drift_ppm, 0);
  EXPECT_FALSE(spec.freeze);
}

TEST(TimeChaos, EveryField) {
  const TimeChaosSpec spec = Spec(
      "timeOffset: 1h, clockIds: [CLOCK_MONOTONIC, CLOCK_BOOTTIME_ALARM], containerNames: [a, b], "
      "duration: 30s, remoteCluster: far, sabot: {driftPpm: -50, mechanism: vdso}");
  EXPECT_THAT(spec.clock_ids, ElementsAre("CLOCK_MONOTONIC", "CLOCK_BOOTTIME_ALARM"));
  EXPECT_THAT(spec.container_names, ElementsAre("a", "b"));
  EXPECT_EQ(spec.duration, "30s");
  EXPECT_EQ(spec.remote_cluster, "far");
  EXPECT_EQ(spec.drift_ppm, -50);
  EXPECT_THAT(spec.sabot.mechanism, ElementsAre("vdso"));
}

TEST(TimeChaos, TheOffsetIsRequiredAndAGoDuration) {
  EXPECT_THAT(ErrorsOf(Chaos("duration: 1s")), ElementsAre("spec.timeOffset: Required value"));
  EXPECT_THAT(
      ErrorsOf(Chaos("timeOffset: soon")),
      ElementsAre(HasSubstr("spec.timeOffset: Invalid value: \"soon\": error while parsing timeOffset: "
                            "time: invalid duration")));
  EXPECT_THAT(ErrorsOf(Chaos("timeOffset: 5")), ElementsAre(HasSubstr("spec.timeOffset: must be a string")));
}

TEST(TimeChaos, WhatUpstreamAdmitsAndCannotWorkIsAWarning) {
  EXPECT_THAT(ErrorsOf(Chaos("timeOffset: 1h, clockIds: [CLOCK_TAI], duration: soon")), IsEmpty());
  EXPECT_THAT(WarningsOf(Chaos("timeOffset: 1h, clockIds: [CLOCK_TAI], duration: soon")),
              ElementsAre(HasSubstr("spec.duration: \"soon\" is no duration"),
                          HasSubstr("spec.clockIds[0]: \"CLOCK_TAI\" is no clock")));
}

TEST(TimeChaos, RatesThatCannotBe) {
  EXPECT_THAT(ErrorsOf(Chaos("timeOffset: 0s, sabot: {driftPpm: 1000001}")),
              ElementsAre(HasSubstr("spec.sabot.driftPpm: ")));
  EXPECT_THAT(ErrorsOf(Chaos("timeOffset: 0s, sabot: {driftPpm: 1, freeze: true}")),
              ElementsAre("spec.sabot.driftPpm: a clock that stands still cannot drift"));
  EXPECT_THAT(ErrorsOf(Chaos("timeOffset: 0s, clockIds: [CLOCK_THREAD_CPUTIME_ID], sabot: {freeze: true}")),
              ElementsAre("spec.clockIds[0]: processor time can be neither frozen nor made to drift"));
}

TEST(TimeChaos, OptionsOfItsOwnAreUnknownElsewhere) {
  EXPECT_THAT(ErrorsOf(NetworkChaosWith("sabot: {freeze: true}")),
              ElementsAre(HasSubstr("spec.sabot.freeze: ")));
}

TEST(ClockNumber, IsTheKernels) {
  EXPECT_EQ(ClockNumber("CLOCK_REALTIME"), 0U);
  EXPECT_EQ(ClockNumber("CLOCK_BOOTTIME"), 7U);
  EXPECT_EQ(ClockNumber("CLOCK_BOOTTIME_ALARM"), 9U);
  EXPECT_EQ(ClockNumber("CLOCK_TAI"), std::nullopt);
}

}  // namespace
}  // namespace sabot::api
