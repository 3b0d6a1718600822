// SPDX-License-Identifier: Apache-2.0
//
// Which pod gets which fault with which peers: the table of section 2.5 of the API.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/plan/planning.h"

namespace sabot::plan {
namespace {

using api::StrCat;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kLoss = "action: loss, loss: {loss: '20'}, device: eth0, targetDevice: eth1, ";
constexpr std::string_view kPartition = "action: partition, device: eth0, targetDevice: eth1, ";

std::vector<std::string> Faults(std::string_view action, std::string_view rest) {
  const PlanResult result = PlanYaml(Chaos(StrCat(action, rest)));
  EXPECT_THAT(ProblemsOf(result), IsEmpty());
  return FaultsOf(result);
}

TEST(LossDirections, ToATarget) {
  EXPECT_THAT(Faults(kLoss, StrCat("direction: to, ", kServer)),
              ElementsAre("demo/client: loss 20% EGRESS eth0 with 10.0.0.2/32 fd00::2/128"));
}

TEST(LossDirections, FromATarget) {
  EXPECT_THAT(Faults(kLoss, StrCat("direction: from, ", kServer)),
              ElementsAre("demo/server: loss 20% EGRESS eth1 with 10.0.0.1/32"));
}

TEST(LossDirections, BothWithATarget) {
  EXPECT_THAT(Faults(kLoss, StrCat("direction: both, ", kServer)),
              ElementsAre("demo/client: loss 20% EGRESS eth0 with 10.0.0.2/32 fd00::2/128",
                          "demo/server: loss 20% EGRESS eth1 with 10.0.0.1/32"));
}

TEST(LossDirections, ToNobodyInParticularIsToAll) {
  EXPECT_THAT(Faults(kLoss, "direction: to"), ElementsAre("demo/client: loss 20% EGRESS eth0 with all"));
  EXPECT_THAT(Faults(kLoss, "mode: all"), ElementsAre("demo/client: loss 20% EGRESS eth0 with all"));
}

TEST(LossDirections, ToExternalTargets) {
  EXPECT_THAT(Faults(kLoss, "externalTargets: [1.2.3.4, 'fd01::/16', 10.1.2.3/8, 1.2.3.4]"),
              ElementsAre("demo/client: loss 20% EGRESS eth0 with 1.2.3.4/32 10.0.0.0/8 fd01::/16"));
  EXPECT_THAT(Faults(kLoss, StrCat("externalTargets: [1.2.3.4], ", kServer)),
              ElementsAre("demo/client: loss 20% EGRESS eth0 with 1.2.3.4/32 10.0.0.2/32 fd00::2/128"));
}

TEST(PartitionDirections, ToATarget) {
  EXPECT_THAT(Faults(kPartition, StrCat("direction: to, ", kServer)),
              ElementsAre("demo/client: partition EGRESS eth0 with 10.0.0.2/32 fd00::2/128",
                          "demo/server: partition INGRESS eth1 with 10.0.0.1/32"));
}

TEST(PartitionDirections, FromATarget) {
  EXPECT_THAT(Faults(kPartition, StrCat("direction: from, ", kServer)),
              ElementsAre("demo/client: partition INGRESS eth0 with 10.0.0.2/32 fd00::2/128",
                          "demo/server: partition EGRESS eth1 with 10.0.0.1/32"));
}

TEST(PartitionDirections, BothWithATarget) {
  EXPECT_THAT(Faults(kPartition, StrCat("direction: both, ", kServer)),
              ElementsAre("demo/client: partition BOTH eth0 with 10.0.0.2/32 fd00::2/128",
                          "demo/server: partition BOTH eth1 with 10.0.0.1/32"));
}

TEST(PartitionDirections, WithoutATargetFromEverybody) {
  EXPECT_THAT(Faults(kPartition, "direction: to"),
              ElementsAre("demo/client: partition EGRESS eth0 with all"));
  EXPECT_THAT(Faults(kPartition, "direction: from"),
              ElementsAre("demo/client: partition INGRESS eth0 with all"));
  EXPECT_THAT(Faults(kPartition, "direction: both"),
              ElementsAre("demo/client: partition BOTH eth0 with all"));
}

TEST(PartitionDirections, ExternalTargetsActAtTheSourceOnly) {
  EXPECT_THAT(Faults(kPartition, "direction: to, externalTargets: [1.2.3.4]"),
              ElementsAre("demo/client: partition EGRESS eth0 with 1.2.3.4/32"));
  EXPECT_THAT(Faults(kPartition, "direction: from, externalTargets: [1.2.3.4]"),
              ElementsAre("demo/client: partition INGRESS eth0 with 1.2.3.4/32"));
  EXPECT_THAT(Faults(kPartition, "direction: both, externalTargets: [1.2.3.4]"),
              ElementsAre("demo/client: partition BOTH eth0 with 1.2.3.4/32"));
  EXPECT_THAT(Faults(kPartition, StrCat("direction: both, externalTargets: [1.2.3.4], ", kServer)),
              ElementsAre("demo/client: partition BOTH eth0 with 1.2.3.4/32 10.0.0.2/32 fd00::2/128",
                          "demo/server: partition BOTH eth1 with 10.0.0.1/32"));
}

TEST(Directions, EveryPodOfASideGetsItsFault) {
  EXPECT_THAT(
      Faults("selector: {}, action: partition, direction: to, ",
             "target: {mode: all, selector: {namespaces: [other]}}"),
      ElementsAre(
          "demo/client: partition EGRESS with 10.1.0.2/32", "demo/db: partition EGRESS with 10.1.0.2/32",
          "demo/mute: partition EGRESS with 10.1.0.2/32", "demo/server: partition EGRESS with 10.1.0.2/32",
          "other/server: partition INGRESS with 10.0.0.1/32 10.0.0.2/32 10.0.0.3/32 fd00::2/128"));
}

TEST(Records, StandForAllSelectedPodsOfBothSides) {
  const PlanResult result = PlanYaml(Chaos(StrCat(kLoss, "direction: to, ", kServer)));
  const std::vector<Record>& records = result.experiments[0].records;
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].id, "demo/client");
  EXPECT_EQ(records[0].selector_key, ".");
  EXPECT_THAT(records[0].fault_ids, ElementsAre("demo/test/demo/client/loss"));
  EXPECT_EQ(records[1].id, "demo/server");
  EXPECT_EQ(records[1].selector_key, ".Target");
  EXPECT_THAT(records[1].fault_ids, IsEmpty());
  EXPECT_FALSE(records[1].refused);
  EXPECT_EQ(records[1].message, "");
}

// All against all: a pod that is on both sides.
TEST(OwnAddress, IsNeverAPeer) {
  const std::string yaml = Chaos(
      "selector: {labelSelectors: {}, pods: {demo: [client, db]}}, action: partition, direction: both, "
      "target: {mode: all, selector: {pods: {demo: [client, db]}}}");
  const PlanResult result = PlanYaml(yaml);
  EXPECT_THAT(FaultsOf(result), ElementsAre("demo/client: partition BOTH with 10.0.0.3/32",
                                            "demo/db: partition BOTH with 10.0.0.1/32",
                                            "demo/client: partition BOTH with 10.0.0.3/32",
                                            "demo/db: partition BOTH with 10.0.0.1/32"));
  std::vector<std::string> ids;
  for (const auto& fault : result.maps.at("").faults()) ids.push_back(fault.id());
  EXPECT_THAT(ids,
              ElementsAre("demo/test/demo/client/partition", "demo/test/demo/db/partition",
                          "demo/test/demo/client/partition-target", "demo/test/demo/db/partition-target"));
}

TEST(OwnAddress, APodWhoseOnlyPeerIsItselfGetsNoFaultAndAMessage) {
  const PlanResult result =
      PlanYaml(Chaos("selector: {pods: {demo: [client, db]}}, action: partition, direction: to, "
                     "target: {mode: all, selector: {pods: {demo: [client]}}}"));
  EXPECT_TRUE(result.ok());
  EXPECT_THAT(FaultsOf(result), ElementsAre("demo/db: partition EGRESS with 10.0.0.1/32",
                                            "demo/client: partition INGRESS with 10.0.0.3/32"));
  const Record& client = result.experiments[0].records[0];
  EXPECT_THAT(client.fault_ids, IsEmpty());
  EXPECT_EQ(client.message, "nothing to inject: the only peer of pod demo/client is itself");
}

TEST(OwnAddress, WhenThatLeavesNothingAtAllTheExperimentFails) {
  const PlanResult result = PlanYaml(Chaos(
      "selector: {pods: {demo: [client]}}, action: partition, target: {mode: all, selector: {pods: {demo: "
      "[client]}}}"));
  EXPECT_THAT(ProblemsOf(result),
              ElementsAre("nothing to inject: the only peer of pod demo/client is itself"));
  EXPECT_THAT(FaultsOf(result), IsEmpty());
}

constexpr std::string_view kMute = "target: {mode: all, selector: {pods: {demo: [mute]}}}";

TEST(PeersWithoutAddress, AreAnErrorAndNeverAll) {
  EXPECT_THAT(ProblemsOf(PlanYaml(Chaos(StrCat(kLoss, kMute)))),
              ElementsAre("spec.target.selector: no selected pod has an address: demo/mute"));
  EXPECT_THAT(ProblemsOf(PlanYaml(
                  Chaos(StrCat("selector: {pods: {demo: [mute]}}, ", kLoss, "direction: from, ", kServer)))),
              ElementsAre("spec.selector: no selected pod has an address: demo/mute"));
  // A partition looks at both sides.
  EXPECT_THAT(ProblemsOf(PlanYaml(Chaos(StrCat("selector: {pods: {demo: [mute]}}, ", kPartition, kServer)))),
              ElementsAre("spec.selector: no selected pod has an address: demo/mute"));
}

TEST(PeersWithoutAddress, DoNotMatterWhereNobodyAsks) {
  EXPECT_THAT(FaultsOf(PlanYaml(
                  Chaos(StrCat("selector: {pods: {demo: [mute]}}, ", kLoss, "direction: to, ", kServer)))),
              ElementsAre("demo/mute: loss 20% EGRESS eth0 with 10.0.0.2/32 fd00::2/128"));
  EXPECT_THAT(FaultsOf(PlanYaml(Chaos("selector: {pods: {demo: [mute]}}, action: partition"))),
              ElementsAre("demo/mute: partition EGRESS with all"));
}

TEST(PeersWithoutAddress, AmongOthersAreAWarning) {
  const PlanResult result =
      PlanYaml(Chaos(StrCat(kLoss, "target: {mode: all, selector: {pods: {demo: [db, mute]}}}")));
  EXPECT_TRUE(result.ok());
  EXPECT_THAT(FaultsOf(result), ElementsAre("demo/client: loss 20% EGRESS eth0 with 10.0.0.3/32"));
  EXPECT_THAT(
      ProblemsOf(result, api::Severity::kWarning),
      ElementsAre(
          "spec.target.selector: packets of these pods are not affected, they have no address: demo/mute"));
}

TEST(PeersWithoutAddress, ExternalTargetsStandOnTheirOwn) {
  EXPECT_THAT(FaultsOf(PlanYaml(Chaos(StrCat(kLoss, "externalTargets: [1.2.3.4], ", kMute)))),
              ElementsAre("demo/client: loss 20% EGRESS eth0 with 1.2.3.4/32"));
}

}  // namespace
}  // namespace sabot::plan
