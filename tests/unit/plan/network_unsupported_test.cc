// SPDX-License-Identifier: Apache-2.0
//
// What admission lets pass and cannot be done: an error of the plan that names it, never something left out.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/plan/planning.h"

namespace sabot::plan {
namespace {

using api::StrCat;
using sabot::v1::NetworkFault;
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
      {"action: partition, partitionBehavior: reject", "spec.partitionBehavior"},
      {"action: partition, remoteCluster: west", "spec.remoteCluster"},
  };
  for (const auto& one : kCases) {
    EXPECT_THAT(Errors(one.spec), ElementsAre(StrCat(one.field, ": not supported by this version")))
        << one.spec;
  }
}

TEST(Unsupported, EmptyIsAsGoodAsAbsent) {
  EXPECT_THAT(Errors("action: partition, partitionBehavior: drop, remoteCluster: ''"), IsEmpty());
}

TEST(Unsupported, AllOfThemAreNamedAtOnce) {
  EXPECT_THAT(Errors("action: partition, partitionBehavior: reject, externalTargets: [example.com]"),
              ElementsAre("spec.partitionBehavior: not supported by this version",
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

TEST(Limits, EveryShareIsAPercentage) {
  for (std::string_view bad : {"101", "-1", "NaN"}) {
    const auto error = [&](std::string_view field) {
      return ElementsAre(StrCat(field, ": \"", bad, "\": must be a percentage from 0 to 100"));
    };
    EXPECT_THAT(Errors(StrCat("action: loss, loss: {loss: '1', correlation: '", bad, "'}")),
                error("spec.loss.correlation"));
    EXPECT_THAT(Errors(StrCat("action: duplicate, duplicate: {duplicate: '", bad, "'}")),
                error("spec.duplicate.duplicate"));
    EXPECT_THAT(Errors(StrCat("action: corrupt, corrupt: {corrupt: '1', correlation: '", bad, "'}")),
                error("spec.corrupt.correlation"));
    EXPECT_THAT(Errors(StrCat("action: delay, delay: {latency: 1ms, correlation: '", bad, "'}")),
                error("spec.delay.correlation"));
    EXPECT_THAT(
        Errors(StrCat("action: delay, delay: {latency: 1ms, reorder: {reorder: '", bad, "', gap: 1}}")),
        error("spec.delay.reorder.reorder"));
  }
}

TEST(Limits, JitterAndLatencyTogetherAreAnHourAtMost) {
  EXPECT_THAT(Errors("action: delay, delay: {latency: 30m, jitter: 30m}"), IsEmpty());
  EXPECT_THAT(
      Errors("action: delay, delay: {latency: 30m, jitter: 30.01m}"),
      ElementsAre("spec.delay.jitter: \"30.01m\": must not be negative, nor exceed 1h with the latency"));
}

TEST(Limits, ARateIsAByteASecondAtLeast) {
  EXPECT_THAT(Errors("action: netem, rate: {rate: 8bit}"), IsEmpty());
  EXPECT_THAT(Errors("action: netem, rate: {rate: 7bit}"),
              ElementsAre("spec.rate.rate: \"7bit\": must be from 8bit to 9007199254740992 bytes a second"));
  EXPECT_THAT(Errors("action: bandwidth"),
              ElementsAre("spec.bandwidth: Required value: action bandwidth needs it"));
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

NetworkFault OnlyEffect(std::string_view spec) {
  const PlanResult result = PlanYaml(Chaos(spec));
  EXPECT_THAT(ProblemsOf(result), IsEmpty()) << spec;
  if (result.maps.at("").faults_size() != 1) return {};
  NetworkFault fault = result.maps.at("").faults(0).network();
  fault.clear_direction();
  fault.clear_all_peers();
  return fault;
}

TEST(Effects, EveryFieldArrives) {
  EXPECT_EQ(OnlyEffect("action: delay, delay: {latency: 10ms, jitter: 2ms, correlation: '25', "
                       "reorder: {reorder: '0.5', correlation: '50', gap: 5}}")
                .ShortDebugString(),
            "delay { latency_ns: 10000000 jitter_ns: 2000000 correlation: 25 reorder_percent: 0.5 "
            "reorder_correlation: 50 reorder_gap: 5 }");
  EXPECT_EQ(OnlyEffect("action: loss, loss: {loss: '25', correlation: '12.5'}").ShortDebugString(),
            "loss { percent: 25 correlation: 12.5 }");
  EXPECT_EQ(
      OnlyEffect("action: duplicate, duplicate: {duplicate: '40', correlation: '25'}").ShortDebugString(),
      "duplicate { percent: 40 correlation: 25 }");
  EXPECT_EQ(OnlyEffect("action: corrupt, corrupt: {corrupt: '40', correlation: '25'}").ShortDebugString(),
            "corrupt { percent: 40 correlation: 25 }");
  EXPECT_EQ(OnlyEffect("action: netem, rate: {rate: 8mbit}").ShortDebugString(),
            "rate { bytes_per_second: 1000000 limit_bytes: 1514000 }");
  EXPECT_EQ(OnlyEffect("action: bandwidth, bandwidth: {rate: 1mbps, limit: 20971520, buffer: 10000, "
                       "peakrate: 1000000, minburst: 1500}")
                .ShortDebugString(),
            "rate { bytes_per_second: 1048576 limit_bytes: 20971520 burst_bytes: 10000 "
            "peak_bytes_per_second: 1000000 peak_burst_bytes: 1500 }");
}

TEST(Effects, OnlyActionBandwidthLooksAtItsBlock) {
  EXPECT_EQ(OnlyEffect("action: bandwidth, bandwidth: {rate: 8bit, limit: 1, buffer: 1}, loss: {loss: '5'}")
                .effect_case(),
            NetworkFault::kRate);
  EXPECT_EQ(OnlyEffect("action: loss, bandwidth: {rate: 8bit, limit: 1, buffer: 1}, loss: {loss: '5'}")
                .effect_case(),
            NetworkFault::kLoss);
}

TEST(Effects, PartitionLooksAtNoBlock) {
  EXPECT_THAT(FaultsOf(PlanYaml(Chaos("action: partition, loss: {loss: '500'}, corrupt: {corrupt: '1'}"))),
              ElementsAre("demo/client: partition EGRESS with all"));
}

}  // namespace
}  // namespace sabot::plan
