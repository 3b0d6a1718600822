// SPDX-License-Identifier: Apache-2.0
//
// What admission lets pass and cannot be done: an error of the plan that names it, never something left out.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/plan/planning.h"

namespace sabot::plan {
namespace {

using api::StrCat;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> Errors(std::string_view spec) {
  const PlanResult result = PlanYaml(Chaos(spec));
  if (!result.ok()) {
    EXPECT_THAT(FaultsOf(result), IsEmpty()) << spec;
  }
  return ProblemsOf(result);
}

TEST(Unsupported, EveryBlockAndFieldThatIsNotDone) {
  const struct {
    std::string_view spec;
    std::string_view field;
  } kCases[] = {
      {"action: delay, delay: {latency: 1ms, jitter: 1ms}", "spec.delay.jitter"},
      {"action: delay, delay: {latency: 1ms, correlation: '1'}", "spec.delay.correlation"},
      {"action: delay, delay: {latency: 1ms, correlation: NaN}", "spec.delay.correlation"},
      {"action: delay, delay: {latency: 1ms, reorder: {reorder: '0', gap: 0}}", "spec.delay.reorder"},
      {"action: loss, loss: {loss: '1', correlation: '25'}", "spec.loss.correlation"},
      {"action: duplicate, duplicate: {duplicate: '1'}", "spec.duplicate"},
      {"action: corrupt, corrupt: {corrupt: '1'}", "spec.corrupt"},
      {"action: netem, rate: {rate: 1mbps}", "spec.rate"},
      {"action: delay, delay: {latency: 1ms}, duplicate: {duplicate: '1'}", "spec.duplicate"},
      {"action: delay, delay: {latency: 1ms}, bandwidth: {rate: 1bps, limit: 1, buffer: 1}",
       "spec.bandwidth"},
      {"action: partition, partitionBehavior: reject", "spec.partitionBehavior"},
      {"action: partition, remoteCluster: west", "spec.remoteCluster"},
  };
  for (const auto& one : kCases) {
    EXPECT_THAT(Errors(one.spec), ElementsAre(StrCat(one.field, ": not supported by this version")))
        << one.spec;
  }
  EXPECT_THAT(Errors("action: bandwidth, bandwidth: {rate: 1bps, limit: 1, buffer: 1}"),
              ElementsAre("spec.action: not supported by this version",
                          "spec.bandwidth: not supported by this version"));
  EXPECT_THAT(Errors("action: bandwidth"), ElementsAre("spec.action: not supported by this version"));
}

TEST(Unsupported, ZeroIsAsGoodAsAbsent) {
  EXPECT_THAT(Errors("action: delay, delay: {latency: 1ms, jitter: 0s, correlation: '0.0'}"), IsEmpty());
  EXPECT_THAT(Errors("action: loss, loss: {loss: '1', correlation: '-0'}"), IsEmpty());
  EXPECT_THAT(Errors("action: partition, partitionBehavior: drop, remoteCluster: ''"), IsEmpty());
}

TEST(Unsupported, AllOfThemAreNamedAtOnce) {
  EXPECT_THAT(
      Errors("action: delay, delay: {latency: 1ms, jitter: 1ms, correlation: '25'}, corrupt: {corrupt: '1'}, "
             "externalTargets: [example.com]"),
      ElementsAre("spec.delay.jitter: not supported by this version",
                  "spec.delay.correlation: not supported by this version",
                  "spec.corrupt: not supported by this version",
                  "spec.externalTargets[0]: host names are not supported by this version"));
}

TEST(Unsupported, ExternalTargets) {
  EXPECT_THAT(
      Errors("action: partition, externalTargets: [1.2.3.4, example.com, '1.2.3.4:80', 'not an ip!']"),
      ElementsAre("spec.externalTargets[1]: host names are not supported by this version",
                  "spec.externalTargets[2]: ports are not supported by this version",
                  "spec.externalTargets[3]: \"not an ip!\" is no address, no prefix and no host name"));
}

TEST(Limits, LossIsAPercentage) {
  for (std::string_view text : {"0", "100", "0.001", "20", "1e2"}) {
    EXPECT_THAT(Errors(StrCat("action: loss, loss: {loss: '", text, "'}")), IsEmpty()) << text;
  }
  for (std::string_view text : {"101", "-1", "NaN", "Inf", "-Inf", "100.001"}) {
    EXPECT_THAT(Errors(StrCat("action: loss, loss: {loss: '", text, "'}")),
                ElementsAre(StrCat("spec.loss.loss: \"", text, "\": must be a percentage from 0 to 100")));
  }
}

TEST(Limits, LatencyIsFromANanosecondToAnHour) {
  for (std::string_view text : {"1ns", "0.5ms", "1h", "60m", "3600s", "3600000ms"}) {
    EXPECT_THAT(Errors(StrCat("action: delay, delay: {latency: ", text, "}")), IsEmpty()) << text;
  }
  for (std::string_view text : {"0ms", "0.9ns", "1.0001h", "3601s", "2h"}) {
    EXPECT_THAT(Errors(StrCat("action: delay, delay: {latency: ", text, "}")),
                ElementsAre(StrCat("spec.delay.latency: \"", text, "\": must be from 1ns to 1h")));
  }
}

TEST(Limits, DurationIsASecondAtLeast) {
  for (std::string_view text : {"1s", "1000ms", "2562047h", "1.0000000001s"}) {
    EXPECT_THAT(Errors(StrCat("action: partition, duration: ", text)), IsEmpty()) << text;
  }
  EXPECT_THAT(Errors("action: partition, duration: 999ms"),
              ElementsAre("spec.duration: duration 999ms is too short, it must be at least 1s"));
  EXPECT_THAT(Errors("action: partition, duration: -5s"),
              ElementsAre("spec.duration: duration -5s is too short, it must be at least 1s"));
  EXPECT_THAT(Errors("action: partition, duration: '0'"),
              ElementsAre("spec.duration: duration 0 is too short, it must be at least 1s"));
}

TEST(Limits, DeviceNamesHave15Bytes) {
  EXPECT_THAT(Errors("action: partition, device: device-with-15b"), IsEmpty());
  EXPECT_THAT(
      Errors("action: partition, device: device-with-16by, targetDevice: device-with-16by"),
      ElementsAre(
          "spec.device: \"device-with-16by\" is longer than the 15 bytes that a device's name can have",
          "spec.targetDevice: \"device-with-16by\" is longer than the 15 bytes that a device's name can "
          "have"));
}

TEST(Limits, AnActionNeedsABlock) {
  EXPECT_THAT(
      Errors("action: delay"),
      ElementsAre("spec.action: invalid spec for netem action, at least one is required from delay, loss, "
                  "duplicate, corrupt"));
}

TEST(Effects, AllBlocksActWhateverTheAction) {
  for (std::string_view action : {"netem", "delay", "loss", "duplicate", "corrupt"}) {
    EXPECT_THAT(
        FaultsOf(PlanYaml(Chaos(StrCat("action: ", action, ", loss: {loss: '5'}, delay: {latency: 2us}")))),
        ElementsAre("demo/client: delay 2000ns EGRESS with all", "demo/client: loss 5% EGRESS with all"));
  }
}

TEST(Effects, PartitionLooksAtNoBlock) {
  EXPECT_THAT(FaultsOf(PlanYaml(Chaos("action: partition, loss: {loss: '500'}, corrupt: {corrupt: '1'}"))),
              ElementsAre("demo/client: partition EGRESS with all"));
}

}  // namespace
}  // namespace sabot::plan
