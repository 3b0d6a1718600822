// SPDX-License-Identifier: Apache-2.0
//
// What holds for every kind: experiments fail alone, caps, nodes, hostNetwork.
#include "controller/plan/plan.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/plan/planning.h"

namespace sabot::plan {
namespace {

using api::Severity;
using api::StrCat;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(Plan, NothingIsAnEmptyMap) {
  const PlanResult result = PlanYaml(Chaos("action: partition"), {});
  EXPECT_THAT(ProblemsOf(result), ElementsAre("spec.selector: no pod is selected"));
  EXPECT_EQ(result.maps.at("").faults_size(), 0);
  std::mt19937_64 rng;
  EXPECT_TRUE(Plan({}, {}, {}, rng).ok());
}

TEST(Plan, AnExperimentFailsAlone) {
  const PlanResult result = PlanYaml(Chaos("action: partition", "a") + "---\n" + Chaos("action: delay", "b") +
                                     "---\n" + Chaos("action: partition", "c"));
  EXPECT_FALSE(result.ok());
  ASSERT_THAT(result.experiments, SizeIs(3));
  EXPECT_TRUE(result.experiments[0].ok());
  EXPECT_FALSE(result.experiments[1].ok());
  EXPECT_TRUE(result.experiments[2].ok());
  EXPECT_EQ(result.experiments[2].index, 2u);
  EXPECT_EQ(result.experiments[2].experiment.name(), "c");
  EXPECT_THAT(FaultsOf(result), SizeIs(2));
}

TEST(Plan, ProblemsKnowTheirLine) {
  const PlanResult result = PlanYaml(
      "apiVersion: chaos-mesh.org/v1alpha1\nkind: NetworkChaos\nmetadata: {name: a}\n"
      "spec:\n  action: loss\n  mode: all\n  selector: {}\n  loss:\n    loss: \"101\"\n");
  ASSERT_THAT(result.experiments[0].problems, SizeIs(2));
  EXPECT_EQ(ToString(result.experiments[0].problems[0]),
            "test.yaml:9: spec.loss.loss: \"101\": must be a percentage from 0 to 100");
  EXPECT_EQ(ToString(result.experiments[0].problems[1]), "test.yaml:7: spec.selector: no pod is selected");
}

TEST(Plan, IsAFunctionOfItsInput) {
  const std::string yaml = Chaos("selector: {}, mode: one, action: partition");
  EXPECT_EQ(FaultsOf(PlanYaml(yaml, SmallWorld(), {}, 5)), FaultsOf(PlanYaml(yaml, SmallWorld(), {}, 5)));
  std::set<std::vector<std::string>> plans;
  for (uint64_t seed = 0; seed < 50; ++seed) plans.insert(FaultsOf(PlanYaml(yaml, SmallWorld(), {}, seed)));
  EXPECT_EQ(plans.size(), 4u);  // one for each pod of the namespace
}

TEST(Plan, TwoExperimentsCannotBeOne) {
  std::vector<api::Experiment> experiments = Experiments(Chaos("action: partition"));
  experiments.push_back(experiments[0]);
  experiments.push_back(experiments[0]);
  experiments[2].metadata.name = "other";
  experiments[2].metadata.uid = "demo/test";
  std::mt19937_64 rng;
  const PlanResult result = Plan(experiments, SmallWorld(), {}, rng);
  EXPECT_THAT(ProblemsOf(result), ElementsAre("metadata.name: NetworkChaos demo/test is given twice",
                                              "metadata.uid: is also that of another experiment"));
  EXPECT_THAT(FaultsOf(result), SizeIs(1));
}

TEST(Plan, APausedExperimentIsNotPlanned) {
  std::vector<api::Experiment> experiments = Experiments(Chaos("action: partition"));
  experiments[0].metadata.annotations["experiment.chaos-mesh.org/pause"] = "true";
  std::mt19937_64 rng;
  EXPECT_THAT(
      ProblemsOf(Plan(experiments, SmallWorld(), {}, rng)),
      ElementsAre("metadata.annotations: is paused by its annotation experiment.chaos-mesh.org/pause"));
  experiments[0].metadata.annotations["experiment.chaos-mesh.org/pause"] = "false";
  EXPECT_TRUE(Plan(experiments, SmallWorld(), {}, rng).ok());
}

TEST(HostNetwork, IsRefused) {
  Inventory world = SmallWorld();
  world.pods[0].host_network = true;
  const PlanResult result = PlanYaml(Chaos("action: partition"), world);
  constexpr std::string_view kText =
      "It's dangerous to inject network chaos on a pod(demo/client) with hostNetwork";
  EXPECT_THAT(ProblemsOf(result), ElementsAre(kText));
  EXPECT_THAT(FaultsOf(result), IsEmpty());
  EXPECT_TRUE(result.experiments[0].records[0].refused);
  EXPECT_EQ(result.experiments[0].records[0].message, kText);
}

TEST(HostNetwork, RefusalIsPerPod) {
  Inventory world = SmallWorld();
  world.pods[2].host_network = true;
  const PlanResult result =
      PlanYaml(Chaos("selector: {pods: {demo: [client, db]}}, action: partition"), world);
  EXPECT_TRUE(result.ok());
  EXPECT_THAT(FaultsOf(result), ElementsAre("demo/client: partition EGRESS with all"));
  EXPECT_THAT(ProblemsOf(result, Severity::kWarning),
              ElementsAre("It's dangerous to inject network chaos on a pod(demo/db) with hostNetwork"));
}

TEST(HostNetwork, AtTheOtherEndIsNoMatter) {
  Inventory world = SmallWorld();
  world.pods[1].host_network = true;
  EXPECT_THAT(FaultsOf(PlanYaml(Chaos(StrCat("action: loss, loss: {loss: '1'}, ", kServer)), world)),
              SizeIs(1));
}

TEST(HostNetwork, CanBeAllowed) {
  Inventory world = SmallWorld();
  world.pods[0].host_network = true;
  PlanOptions options;
  options.allow_host_network = true;
  EXPECT_THAT(FaultsOf(PlanYaml(Chaos("action: partition"), world, options)), SizeIs(1));
}

TEST(MaxTargets, CountsPodsThatAreHit) {
  const auto errors = [](int maximum) {
    return ProblemsOf(
        PlanYaml(Chaos(StrCat("selector: {}, action: partition, sabot: {maxTargets: ", maximum, "}"))));
  };
  EXPECT_THAT(errors(4), IsEmpty());
  EXPECT_THAT(errors(3), ElementsAre("spec.sabot.maxTargets: 4 pods would be hit, and at most 3 may be"));
}

TEST(MaxTargets, CountsBothSidesAndEachPodOnce) {
  const auto errors = [](std::string_view spec, int maximum) {
    return ProblemsOf(PlanYaml(Chaos(StrCat(spec, ", sabot: {maxTargets: ", maximum, "}"))));
  };
  const std::string partition = StrCat("action: partition, ", kServer);
  EXPECT_THAT(errors(partition, 2), IsEmpty());
  EXPECT_THAT(errors(partition, 1), SizeIs(1));
  // Here the target is only the other end.
  EXPECT_THAT(errors(StrCat("action: loss, loss: {loss: '1'}, ", kServer), 1), IsEmpty());
  const std::string same =
      "selector: {pods: {demo: [client, db]}}, action: netem, loss: {loss: '1'}, delay: {latency: 1s}, "
      "direction: both, target: {mode: all, selector: {pods: {demo: [client, db]}}}";
  EXPECT_THAT(errors(same, 2), IsEmpty());
}

TEST(FaultCap, HoldsPerNodeOverAllExperiments) {
  PlanOptions options;
  options.max_faults_per_node = 4;
  const std::string all = "selector: {}, action: partition";
  EXPECT_TRUE(PlanYaml(Chaos(all), SmallWorld(), options).ok());
  const PlanResult result =
      PlanYaml(Chaos(all, "a") + "---\n" + Chaos("action: partition", "b"), SmallWorld(), options);
  EXPECT_THAT(ProblemsOf(result), ElementsAre("needs 1 faults, others have 4, the limit is 4"));
  EXPECT_TRUE(result.experiments[0].ok());
  options.max_faults_per_node = 3;
  EXPECT_THAT(ProblemsOf(PlanYaml(Chaos(all), SmallWorld(), options)),
              ElementsAre("needs 4 faults, others have 0, the limit is 3"));
}

TEST(FaultCap, Is8192) {
  Inventory world;
  for (int i = 0; i < 8193; ++i) world.pods.push_back(MakePod("demo", StrCat("p", i), {}, {}));
  EXPECT_THAT(ProblemsOf(PlanYaml(Chaos("selector: {}, action: partition"), world)),
              ElementsAre("needs 8193 faults, others have 0, the limit is 8192"));
  world.pods.pop_back();
  EXPECT_THAT(FaultsOf(PlanYaml(Chaos("selector: {}, action: partition"), world)), SizeIs(8192));
}

TEST(PeerCap, BoundsAllFaultsTogether) {
  PlanOptions options;
  options.max_peers = 3;
  const std::string one = "action: partition, externalTargets: [1.1.1.1, 2.2.2.2]";
  EXPECT_TRUE(PlanYaml(Chaos(one), SmallWorld(), options).ok());
  EXPECT_THAT(ProblemsOf(PlanYaml(Chaos(one, "a") + "---\n" + Chaos(one, "b"), SmallWorld(), options)),
              ElementsAre("needs 2 peer addresses, others have 2, the limit is 3"));
  EXPECT_THAT(
      ProblemsOf(PlanYaml(Chaos("selector: {}, action: partition, externalTargets: [1.1.1.1, 2.2.2.2]"),
                          SmallWorld(), options)),
      ElementsAre("needs more than 3 peer addresses in its faults"));
}

TEST(Nodes, StandaloneHasOneMap) {
  Inventory world = SmallWorld();
  world.pods[0].node = "n1";
  const PlanResult result = PlanYaml(Chaos("action: partition"), world);
  EXPECT_THAT(result.maps, SizeIs(1));
  EXPECT_THAT(FaultsOf(result, ""), SizeIs(1));
  EXPECT_EQ(result.experiments[0].records[0].node, "");
}

TEST(Nodes, InAClusterEachHasItsOwn) {
  Inventory world = SmallWorld();
  world.pods[0].node = "n1";
  world.pods[1].node = "n2";
  PlanOptions options;
  options.standalone = false;
  const PlanResult result = PlanYaml(Chaos(StrCat("action: partition, ", kServer)), world, options);
  EXPECT_THAT(result.maps, SizeIs(2));
  EXPECT_EQ(result.maps.at("n1").node(), "n1");
  EXPECT_THAT(FaultsOf(result, "n1"),
              ElementsAre("demo/client: partition EGRESS with 10.0.0.2/32 fd00::2/128"));
  EXPECT_THAT(FaultsOf(result, "n2"), ElementsAre("demo/server: partition INGRESS with 10.0.0.1/32"));
  EXPECT_EQ(result.experiments[0].records[1].node, "n2");
}

TEST(Nodes, InAClusterAPodWithoutOneIsRefused) {
  PlanOptions options;
  options.standalone = false;
  const PlanResult result = PlanYaml(Chaos("action: partition"), SmallWorld(), options);
  EXPECT_THAT(ProblemsOf(result), ElementsAre("pod demo/client is not on a node"));
  EXPECT_THAT(result.maps, IsEmpty());
}

}  // namespace
}  // namespace sabot::plan
