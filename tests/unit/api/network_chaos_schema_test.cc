// SPDX-License-Identifier: Apache-2.0
//
// What the CRD's schema says of a NetworkChaos, rule by rule and from both sides.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/api/manifests.h"

namespace sabot::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> ErrorsWith(std::string_view lines) { return ErrorsOf(NetworkChaosWith(lines)); }

TEST(NetworkChaosSchema, KeepsAllFields) {
  const NetworkChaosSpec spec = SpecOf(NetworkChaosWith(R"(action: netem
device: eth0
direction: both
target: {mode: fixed, value: "2", selector: {pods: {demo: [a]}}}
targetDevice: eth1
delay: {latency: 10ms, correlation: "25", jitter: 1ms, reorder: {reorder: "5", correlation: "50", gap: 3}}
loss: {loss: "10", correlation: "25"}
duplicate: {duplicate: "11", correlation: "26"}
corrupt: {corrupt: "12", correlation: "27"}
rate: {rate: 1mbps}
bandwidth: {rate: 2mbps, limit: 100, buffer: 200, peakrate: 300, minburst: 400}
partitionBehavior: reject
duration: 1h30m
remoteCluster: west)"));
  EXPECT_EQ(spec.action, NetworkAction::kNetem);
  EXPECT_EQ(spec.device, "eth0");
  EXPECT_EQ(spec.direction, NetworkDirection::kBoth);
  EXPECT_EQ(spec.target->mode, Mode::kFixed);
  EXPECT_EQ(spec.target->value, "2");
  EXPECT_EQ(spec.target_device, "eth1");
  EXPECT_EQ(spec.delay->latency, "10ms");
  EXPECT_EQ(spec.delay->correlation, "25");
  EXPECT_EQ(spec.delay->jitter, "1ms");
  EXPECT_EQ(spec.delay->reorder->reorder, "5");
  EXPECT_EQ(spec.delay->reorder->correlation, "50");
  EXPECT_EQ(spec.delay->reorder->gap, 3);
  EXPECT_EQ(spec.loss->loss, "10");
  EXPECT_EQ(spec.loss->correlation, "25");
  EXPECT_EQ(spec.duplicate->duplicate, "11");
  EXPECT_EQ(spec.duplicate->correlation, "26");
  EXPECT_EQ(spec.corrupt->corrupt, "12");
  EXPECT_EQ(spec.corrupt->correlation, "27");
  EXPECT_EQ(spec.rate->rate, "1mbps");
  EXPECT_EQ(spec.bandwidth->rate, "2mbps");
  EXPECT_EQ(spec.bandwidth->limit, 100);
  EXPECT_EQ(spec.bandwidth->buffer, 200);
  EXPECT_EQ(spec.bandwidth->peakrate, 300);
  EXPECT_EQ(spec.bandwidth->minburst, 400);
  EXPECT_EQ(spec.partition_behavior, PartitionBehavior::kReject);
  EXPECT_EQ(spec.duration, "1h30m");
  EXPECT_EQ(spec.remote_cluster, "west");
}

TEST(NetworkChaosSchema, Defaults) {
  const NetworkChaosSpec spec =
      SpecOf(NetworkChaosWith("delay: {latency: 10ms, jitter: ''}\nloss: {loss: '1', correlation: ''}"));
  EXPECT_EQ(spec.direction, NetworkDirection::kTo);
  EXPECT_EQ(spec.delay->jitter, "0ms");
  EXPECT_EQ(spec.delay->correlation, "0");
  EXPECT_EQ(spec.loss->correlation, "0");
  EXPECT_EQ(spec.partition_behavior, PartitionBehavior::kDrop);
  EXPECT_EQ(spec.duration, "");
  EXPECT_EQ(spec.target, std::nullopt);
  EXPECT_EQ(spec.rate, std::nullopt);
  EXPECT_EQ(SpecOf(NetworkChaosWith("direction: ''")).direction, NetworkDirection::kTo);
}

TEST(NetworkChaosSchema, NullIsAbsent) {
  EXPECT_THAT(ErrorsWith("device: null\nloss: ~\ntarget:\nexternalTargets: null\nduration:"), IsEmpty());
  EXPECT_THAT(ErrorsWith("mode: null"), ElementsAre(HasSubstr("spec.mode: Required value")));
}

TEST(NetworkChaosSchema, DeviceIsCutAtTheAtSign) {
  const NetworkChaosSpec spec = SpecOf(NetworkChaosWith("device: eth0@if3\ntargetDevice: eth1@"));
  EXPECT_EQ(spec.device, "eth0");
  EXPECT_EQ(spec.target_device, "eth1");
}

TEST(NetworkChaosSchema, Enums) {
  for (std::string_view action :
       {"netem", "delay", "loss", "duplicate", "corrupt", "partition", "bandwidth"}) {
    EXPECT_THAT(ErrorsWith(StrCat("action: ", action)), IsEmpty()) << action;
    EXPECT_EQ(NetworkActionName(SpecOf(NetworkChaosWith(StrCat("action: ", action))).action), action);
  }
  EXPECT_THAT(ErrorsWith("action: Delay"),
              ElementsAre(HasSubstr("spec.action: Unsupported value: \"Delay\"")));
  EXPECT_THAT(ErrorsWith("action: ''"), ElementsAre(HasSubstr("spec.action: Unsupported value: \"\"")));
  EXPECT_THAT(ErrorsWith("-action"), ElementsAre(HasSubstr("spec.action: Required value: one of \"netem\"")));
  EXPECT_THAT(
      ErrorsWith("direction: out"),
      ElementsAre(
          "spec.direction: Unsupported value: \"out\": supported values: \"to\", \"from\", \"both\""));
  EXPECT_THAT(
      ErrorsWith("partitionBehavior: deny"),
      ElementsAre(
          "spec.partitionBehavior: Unsupported value: \"deny\": supported values: \"drop\", \"reject\""));
  EXPECT_THAT(ErrorsWith("action: 5"),
              ElementsAre("spec.action: must be a string, got an integer; write \"5\""));
}

TEST(NetworkChaosSchema, RequiredFields) {
  const struct {
    std::string_view lines;
    std::string_view missing;
  } kCases[] = {
      {"delay: {}", "spec.delay.latency"},
      {"delay: {latency: 1ms, reorder: {gap: 1}}", "spec.delay.reorder.reorder"},
      {"delay: {latency: 1ms, reorder: {reorder: '1'}}", "spec.delay.reorder.gap"},
      {"loss: {}", "spec.loss.loss"},
      {"duplicate: {}", "spec.duplicate.duplicate"},
      {"corrupt: {}", "spec.corrupt.corrupt"},
      {"rate: {}", "spec.rate.rate"},
      {"bandwidth: {limit: 1, buffer: 1}", "spec.bandwidth.rate"},
      {"bandwidth: {rate: 1bps, buffer: 1}", "spec.bandwidth.limit"},
      {"bandwidth: {rate: 1bps, limit: 1}", "spec.bandwidth.buffer"},
  };
  for (const auto& one : kCases)
    EXPECT_THAT(ErrorsWith(one.lines), ElementsAre(StrCat(one.missing, ": Required value")));
}

TEST(NetworkChaosSchema, LatencyAndJitterPattern) {
  for (std::string_view field : {"latency", "jitter"}) {
    for (std::string_view text : {"0ms", "10ms", "1.5s", "1h", "1ns", "7us", "1m"}) {
      EXPECT_THAT(ErrorsWith(StrCat("delay: {latency: 1ms, ", field == "jitter" ? "" : "# ", "jitter: ", text,
                                    "\n    }", field == "latency" ? StrCat("\nx: ") : "")),
                  testing::Not(testing::Contains(HasSubstr("must match"))));
    }
  }
  for (std::string_view text : {"1m30s", "-1ms", "1", "'10 ms'", "1d", "1.ms", "''"}) {
    EXPECT_THAT(ErrorsWith(StrCat("delay: {latency: ", text == "1" ? "'1'" : text, "}")),
                ElementsAre(HasSubstr("must match '^[0-9]+(\\.[0-9]+)?(ns|us|ms|s|m|h)$'")))
        << text;
  }
  EXPECT_THAT(ErrorsWith("delay: {latency: 1ms, jitter: -1ms}"),
              ElementsAre("spec.delay.jitter: Invalid value: \"-1ms\": must match "
                          "'^[0-9]+(\\.[0-9]+)?(ns|us|ms|s|m|h)$'"));
}

TEST(NetworkChaosSchema, IntegerRanges) {
  const auto bandwidth = [](std::string_view fields) {
    return ErrorsWith(StrCat("bandwidth: {rate: 1bps, limit: 1, buffer: 1, ", fields, "}"));
  };
  const auto with_limit = [](std::string_view limit) {
    return ErrorsWith(StrCat("bandwidth: {rate: 1bps, limit: ", limit, ", buffer: 1}"));
  };
  EXPECT_THAT(with_limit("1"), IsEmpty());
  EXPECT_THAT(with_limit("2147483647"), IsEmpty());
  EXPECT_THAT(with_limit("0"),
              ElementsAre("spec.bandwidth.limit: Invalid value: 0: must be greater than or equal to 1"));
  EXPECT_THAT(
      with_limit("2147483648"),
      ElementsAre(
          "spec.bandwidth.limit: Invalid value: 2147483648: must be less than or equal to 2147483647"));
  EXPECT_THAT(with_limit("'1'"), ElementsAre("spec.bandwidth.limit: must be an integer, got a string"));
  EXPECT_THAT(with_limit("1.5"), ElementsAre("spec.bandwidth.limit: must be an integer, got a number"));
  EXPECT_THAT(bandwidth("peakrate: 0, minburst: 0"), IsEmpty());
  EXPECT_THAT(bandwidth("peakrate: 9223372036854775807, minburst: 2147483647"), IsEmpty());
  EXPECT_THAT(bandwidth("peakrate: -1"),
              ElementsAre(HasSubstr("spec.bandwidth.peakrate: Invalid value: -1")));
  EXPECT_THAT(bandwidth("peakrate: 9223372036854775808"),
              ElementsAre("spec.bandwidth.peakrate: must be an integer, got a number"));
  EXPECT_THAT(bandwidth("minburst: -1"),
              ElementsAre(HasSubstr("spec.bandwidth.minburst: Invalid value: -1")));
  EXPECT_THAT(bandwidth("minburst: 2147483648"),
              ElementsAre(HasSubstr("spec.bandwidth.minburst: Invalid value")));
}

TEST(NetworkChaosSchema, WrongTypes) {
  const struct {
    std::string_view lines;
    std::string_view error;
  } kCases[] = {
      {"loss: {loss: 20}", "spec.loss.loss: must be a string, got an integer; write \"20\""},
      {"loss: {loss: 0.5}", "spec.loss.loss: must be a string, got a number; write \"0.5\""},
      {"loss: \"20\"", "spec.loss: must be a map, got a string"},
      {"delay: 10ms", "spec.delay: must be a map, got a string"},
      {"duration: 10", "spec.duration: must be a string, got an integer; write \"10\""},
      {"externalTargets: 1.2.3.4", "spec.externalTargets: must be a list, got a string"},
      {"externalTargets: [1.5]", "spec.externalTargets[0]: must be a string, got a number; write \"1.5\""},
      {"device: [eth0]", "spec.device: must be a string, got a list"},
      {"target: [a]", "spec.target: must be a map, got a list"},
  };
  for (const auto& one : kCases)
    EXPECT_THAT(ErrorsWith(one.lines), testing::Contains(one.error)) << one.lines;
}

TEST(NetworkChaosSchema, UnknownFieldsAtEveryLevel) {
  const struct {
    std::string_view lines;
    std::string_view error;
  } kCases[] = {
      {"actoin: delay", "spec.actoin: unknown field; did you mean \"action\"?"},
      {"delay: {latency: 1ms, latencyy: 1ms}",
       "spec.delay.latencyy: unknown field; did you mean \"latency\"?"},
      {"delay: {latency: 1ms, reorder: {reorder: '1', gap: 1, x: 1}}", "spec.delay.reorder.x: unknown field"},
      {"loss: {loss: '1', percent: '1'}", "spec.loss.percent: unknown field"},
      {"scheduler: {cron: '@every 1m'}", "spec.scheduler: unknown field"},
      {"containerNames: [a]", "spec.containerNames: unknown field"},
  };
  for (const auto& one : kCases) EXPECT_THAT(ErrorsWith(one.lines), ElementsAre(one.error)) << one.lines;
}

}  // namespace
}  // namespace sabot::api
