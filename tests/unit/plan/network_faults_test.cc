// SPDX-License-Identifier: Apache-2.0
//
// Whole fault maps, as the agent gets them.
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "tests/unit/plan/planning.h"

namespace sabot::plan {
namespace {

using api::StrCat;
using sabot::v1::NodeFaultMap;

// Equal, or what differs.
testing::AssertionResult IsMap(const NodeFaultMap& got, const std::string& golden) {
  NodeFaultMap expected;
  if (!google::protobuf::TextFormat::ParseFromString(golden, &expected)) {
    return testing::AssertionFailure() << "golden text is no fault map";
  }
  std::string difference;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&difference);
  if (differencer.Compare(expected, got)) return testing::AssertionSuccess();
  return testing::AssertionFailure() << difference << "\ngot:\n" << got.DebugString();
}

TEST(FaultMap, DelayAndLossWithEverything) {
  const PlanResult result = PlanYaml(R"(
apiVersion: chaos-mesh.org/v1alpha1
kind: NetworkChaos
metadata: {name: slow, namespace: demo, uid: 0b0dd9a0}
spec:
  action: delay
  mode: all
  selector: {labelSelectors: {app: client}}
  direction: both
  device: eth0
  target: {mode: one, selector: {namespaces: [other]}}
  delay: {latency: 20ms}
  loss: {loss: "12.5"}
  duration: 1m0.0001s
  sabot: {mechanism: [edt, tcx], fidelity: exact, maxTargets: 2}
)");
  EXPECT_THAT(ProblemsOf(result), testing::IsEmpty());
  EXPECT_TRUE(IsMap(result.maps.at(""), R"(
faults {
  id: "0b0dd9a0/demo/client/delay"
  experiment { kind: "NetworkChaos" namespace: "demo" name: "slow" uid: "0b0dd9a0" }
  target { name: "demo/client" netns: "client" }
  expires_in_ms: 60001
  mechanism { allowed: "edt" allowed: "tcx" minimum_fidelity: FIDELITY_EXACT }
  network {
    direction: EGRESS device: "eth0" peers { address: "\n\001\000\002" length: 32 }
    delay { latency_ns: 20000000 }
  }
}
faults {
  id: "0b0dd9a0/demo/client/loss"
  experiment { kind: "NetworkChaos" namespace: "demo" name: "slow" uid: "0b0dd9a0" }
  target { name: "demo/client" netns: "client" }
  expires_in_ms: 60001
  mechanism { allowed: "edt" allowed: "tcx" minimum_fidelity: FIDELITY_EXACT }
  network {
    direction: EGRESS device: "eth0" peers { address: "\n\001\000\002" length: 32 }
    loss { percent: 12.5 }
  }
}
faults {
  id: "0b0dd9a0/other/server/delay"
  experiment { kind: "NetworkChaos" namespace: "demo" name: "slow" uid: "0b0dd9a0" }
  target { name: "other/server" netns: "server" }
  expires_in_ms: 60001
  mechanism { allowed: "edt" allowed: "tcx" minimum_fidelity: FIDELITY_EXACT }
  network {
    direction: EGRESS peers { address: "\n\000\000\001" length: 32 }
    delay { latency_ns: 20000000 }
  }
}
faults {
  id: "0b0dd9a0/other/server/loss"
  experiment { kind: "NetworkChaos" namespace: "demo" name: "slow" uid: "0b0dd9a0" }
  target { name: "other/server" netns: "server" }
  expires_in_ms: 60001
  mechanism { allowed: "edt" allowed: "tcx" minimum_fidelity: FIDELITY_EXACT }
  network {
    direction: EGRESS peers { address: "\n\000\000\001" length: 32 }
    loss { percent: 12.5 }
  }
}
)"));
}

TEST(FaultMap, PartitionWithNothingElse) {
  const PlanResult result = PlanYaml(Chaos("action: partition, direction: both"));
  EXPECT_TRUE(IsMap(result.maps.at(""), R"(
faults {
  id: "demo/test/demo/client/partition"
  experiment { kind: "NetworkChaos" namespace: "demo" name: "test" uid: "demo/test" }
  target { name: "demo/client" netns: "client" }
  network { direction: BOTH all_peers: true partition {} }
}
)"));
}

TEST(FaultMap, Ipv6PeersHave16Bytes) {
  const PlanResult result = PlanYaml(Chaos("action: partition, externalTargets: ['fd00::1/64']"));
  const auto& peer = result.maps.at("").faults(0).network().peers(0);
  EXPECT_EQ(peer.address(), std::string("\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16));
  EXPECT_EQ(peer.length(), 64u);
}

TEST(FaultMap, MechanismIsAbsentUnlessAskedFor) {
  const auto mechanism_of = [](std::string_view sabot) {
    return PlanYaml(Chaos(StrCat("action: partition, sabot: ", sabot))).maps.at("").faults(0);
  };
  EXPECT_FALSE(mechanism_of("{}").has_mechanism());
  EXPECT_FALSE(mechanism_of("{maxTargets: 1}").has_mechanism());
  EXPECT_EQ(mechanism_of("{mechanism: tcx}").mechanism().allowed(0), "tcx");
  EXPECT_EQ(mechanism_of("{fidelity: degraded}").mechanism().minimum_fidelity(),
            sabot::v1::FIDELITY_DEGRADED);
}

TEST(FaultMap, DurationOfTheCallerOverrides) {
  PlanOptions options;
  options.duration = absl::Seconds(5);
  const auto expires = [&options](std::string_view spec) {
    return PlanYaml(Chaos(spec), SmallWorld(), options).maps.at("").faults(0).expires_in_ms();
  };
  EXPECT_EQ(expires("action: partition"), 5000u);
  EXPECT_EQ(expires("action: partition, duration: 1h"), 5000u);
  EXPECT_EQ(expires("action: partition, duration: 1ms"), 5000u);
  options.duration = absl::InfiniteDuration();
  EXPECT_EQ(expires("action: partition"), uint64_t{1} << 53);
  options.duration = absl::Milliseconds(999);
  EXPECT_THAT(ProblemsOf(PlanYaml(Chaos("action: partition"), SmallWorld(), options)),
              testing::ElementsAre("duration 999ms is too short, it must be at least 1s"));
}

TEST(FaultMap, WithoutADurationItNeverExpires) {
  EXPECT_EQ(PlanYaml(Chaos("action: partition")).maps.at("").faults(0).expires_in_ms(), 0u);
  EXPECT_EQ(PlanYaml(Chaos("action: partition, duration: ''")).maps.at("").faults(0).expires_in_ms(), 0u);
}

TEST(FaultMap, HostNetworkIsAllowedByTheCallerOnly) {
  PlanOptions options;
  EXPECT_FALSE(PlanYaml(Chaos("action: partition")).maps.at("").faults(0).target().allow_host_network());
  options.allow_host_network = true;
  EXPECT_TRUE(PlanYaml(Chaos("action: partition"), SmallWorld(), options)
                  .maps.at("")
                  .faults(0)
                  .target()
                  .allow_host_network());
}

TEST(FaultMap, IdsHave512BytesAtMostAndStayDifferent) {
  Inventory world;
  const std::string long_name(253, 'x');
  world.pods.push_back(MakePod(std::string(63, 'n'), long_name, {}, {}));
  const PlanResult result = PlanYaml(
      StrCat("{apiVersion: chaos-mesh.org/v1alpha1, kind: NetworkChaos, metadata: {name: ",
             std::string(253, 'e'), ", namespace: ", std::string(63, 'n'),
             "}, spec: {action: netem, mode: all, selector: {}, loss: {loss: '1'}, delay: {latency: 1ms}}}"),
      world);
  ASSERT_EQ(result.maps.at("").faults_size(), 2);
  EXPECT_EQ(result.maps.at("").faults(0).id().size(), 512u);
  EXPECT_NE(result.maps.at("").faults(0).id(), result.maps.at("").faults(1).id());
}

}  // namespace
}  // namespace sabot::plan
