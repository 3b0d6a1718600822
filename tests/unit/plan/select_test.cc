// SPDX-License-Identifier: Apache-2.0
//
// Every selector of section 2.4 of the API, alone and together.
#include "controller/plan/select.h"

#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/plan/planning.h"

namespace sabot::plan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Two namespaces, two nodes, and pods that differ in everything that one can select by.
Inventory World() {
  Inventory world;
  const auto add = [&world](std::string_view ns, std::string_view name, api::StringMap labels) -> Pod& {
    return world.pods.emplace_back(MakePod(ns, name, std::move(labels), {}));
  };
  add("b", "b1", {{"app", "web"}});
  Pod& web2 = add("a", "web-2", {{"app", "web"}, {"tier", "back"}});
  web2.node = "n2";
  web2.phase = "Pending";
  web2.addresses = {*IpAddress::Parse("10.0.0.2"), *IpAddress::Parse("fd00::2")};
  Pod& web1 = add("a", "web-1", {{"app", "web"}, {"tier", "front"}});
  web1.node = "n1";
  web1.annotations = {{"note", "any text, really"}};
  web1.addresses = {*IpAddress::Parse("10.0.0.1")};
  Pod& db = add("a", "db", {{"app", "db"}});
  db.node = "n1";
  db.phase = "Failed";
  db.host_network = true;
  world.nodes = {
      {"n1", {{"zone", "left"}, {"disk", "ssd"}}}, {"n2", {{"zone", "right"}}}, {"n3", {{"zone", "left"}}}};
  world.namespaces = {{"a", {}, {{"chaos-mesh.org/inject", "enabled"}}},
                      {"b", {}, {{"chaos-mesh.org/inject", "disabled"}}}};
  return world;
}

struct Selection {
  std::vector<std::string> pods;
  std::vector<std::string> errors;
};

// What a selector (of an experiment in namespace a) takes.
Selection Select(std::string_view selector, std::string_view mode = "all", bool filter_namespaces = false,
                 const Inventory& world = World()) {
  const std::string yaml = api::StrCat(
      "{apiVersion: chaos-mesh.org/v1alpha1, kind: NetworkChaos, metadata: {name: t, namespace: a}, spec: "
      "{action: "
      "partition, mode: ",
      mode, ", selector: ", selector, "}}");
  const api::Manifests manifests = api::ParseManifests(yaml, "t");
  Selection selection;
  for (const api::Problem& problem : manifests.problems) {
    EXPECT_EQ(problem.severity, api::Severity::kWarning) << ToString(problem);
  }
  if (manifests.experiments.empty()) return selection;
  const auto& spec = std::get<api::NetworkChaosSpec>(manifests.experiments[0].spec);
  PodIndex index(world);
  std::mt19937_64 rng(1);
  std::vector<api::Problem> found;
  PlanProblems problems(manifests.experiments[0].source, found);
  const auto pods = SelectPods(spec.source, "spec", filter_namespaces, index, rng, problems);
  for (uint32_t position : pods.value_or(PodList())) selection.pods.push_back(world.pods[position].Id());
  for (const api::Problem& problem : found)
    selection.errors.push_back(problem.field + ": " + problem.message);
  EXPECT_EQ(pods.has_value(), found.empty());
  return selection;
}

std::vector<std::string> Taken(std::string_view selector) {
  const Selection selection = Select(selector);
  EXPECT_THAT(selection.errors, IsEmpty()) << selector;
  return selection.pods;
}

std::vector<std::string> Errors(std::string_view selector) { return Select(selector).errors; }

constexpr std::string_view kNobody = "spec.selector: no pod is selected";

TEST(Select, AnEmptySelectorTakesTheExperimentsNamespaceByName) {
  EXPECT_THAT(Taken("{}"), ElementsAre("a/db", "a/web-1", "a/web-2"));
}

TEST(Select, Namespaces) {
  EXPECT_THAT(Taken("{namespaces: [b]}"), ElementsAre("b/b1"));
  EXPECT_THAT(Taken("{namespaces: [b, a]}"), ElementsAre("b/b1", "a/db", "a/web-1", "a/web-2"));
  EXPECT_THAT(Taken("{namespaces: [b, nobody-there]}"), ElementsAre("b/b1"));
  EXPECT_THAT(Errors("{namespaces: [nobody-there]}"), ElementsAre(kNobody));
}

TEST(Select, ANamespaceGivenTwiceDoesNotGiveItsPodsTwice) {
  EXPECT_THAT(Taken("{namespaces: [b, b]}"), ElementsAre("b/b1"));
}

TEST(Select, Labels) {
  EXPECT_THAT(Taken("{labelSelectors: {app: web}}"), ElementsAre("a/web-1", "a/web-2"));
  EXPECT_THAT(Taken("{labelSelectors: {app: web, tier: front}}"), ElementsAre("a/web-1"));
  EXPECT_THAT(Errors("{labelSelectors: {app: web, tier: none}}"), ElementsAre(kNobody));
  EXPECT_THAT(Errors("{labelSelectors: {nothing: web}}"), ElementsAre(kNobody));
  EXPECT_THAT(Errors("{labelSelectors: {'a b': web}}"),
              ElementsAre("spec.selector.labelSelectors: \"a b=web\" is no label"));
}

TEST(Select, Expressions) {
  EXPECT_THAT(Taken("{expressionSelectors: [{key: tier, operator: In, values: [front, other]}]}"),
              ElementsAre("a/web-1"));
  EXPECT_THAT(Taken("{expressionSelectors: [{key: tier, operator: NotIn, values: [front]}]}"),
              ElementsAre("a/db", "a/web-2"));
  EXPECT_THAT(Taken("{expressionSelectors: [{key: tier, operator: Exists}]}"),
              ElementsAre("a/web-1", "a/web-2"));
  EXPECT_THAT(Taken("{expressionSelectors: [{key: tier, operator: DoesNotExist}]}"), ElementsAre("a/db"));
  EXPECT_THAT(Taken("{expressionSelectors: [{key: tier, operator: Exists}, {key: tier, operator: NotIn, "
                    "values: [back]}]}"),
              ElementsAre("a/web-1"));
}

TEST(Select, ExpressionsThatAnApiServerRefuses) {
  EXPECT_THAT(
      Errors("{expressionSelectors: [{key: tier, operator: in, values: [x]}]}"),
      ElementsAre(
          "spec.selector.expressionSelectors[0].operator: \"in\" is not a valid label selector operator"));
  EXPECT_THAT(Errors("{expressionSelectors: [{key: tier, operator: In}]}"),
              ElementsAre("spec.selector.expressionSelectors[0].values: for 'in', 'notin' operators, values "
                          "set can't be empty"));
  EXPECT_THAT(Errors("{expressionSelectors: [{key: tier, operator: Exists, values: [x]}]}"),
              ElementsAre("spec.selector.expressionSelectors[0].values: values set must be empty for exists "
                          "and does not exist"));
  EXPECT_THAT(Errors("{expressionSelectors: [{key: '-', operator: Exists}]}"),
              ElementsAre("spec.selector.expressionSelectors[0].key: \"-\" is no label key"));
}

TEST(Select, Annotations) {
  EXPECT_THAT(Taken("{annotationSelectors: {note: 'any text, really'}}"), ElementsAre("a/web-1"));
  EXPECT_THAT(Errors("{annotationSelectors: {note: any text}}"), ElementsAre(kNobody));
}

TEST(Select, Fields) {
  EXPECT_THAT(Taken("{fieldSelectors: {metadata.name: db}}"), ElementsAre("a/db"));
  EXPECT_THAT(Taken("{namespaces: [a, b], fieldSelectors: {metadata.namespace: b}}"), ElementsAre("b/b1"));
  EXPECT_THAT(Taken("{fieldSelectors: {spec.nodeName: n1}}"), ElementsAre("a/db", "a/web-1"));
  EXPECT_THAT(Taken("{fieldSelectors: {spec.hostNetwork: 'true'}}"), ElementsAre("a/db"));
  EXPECT_THAT(Taken("{fieldSelectors: {spec.hostNetwork: 'false'}}"), ElementsAre("a/web-1", "a/web-2"));
  EXPECT_THAT(Taken("{fieldSelectors: {status.phase: Pending}}"), ElementsAre("a/web-2"));
  EXPECT_THAT(Taken("{fieldSelectors: {status.podIP: 10.0.0.2}}"), ElementsAre("a/web-2"));
  EXPECT_THAT(Taken("{fieldSelectors: {status.podIP: ''}}"), ElementsAre("a/db"));
  EXPECT_THAT(Errors("{fieldSelectors: {status.podIP: 'fd00::2'}}"), ElementsAre(kNobody));
  EXPECT_THAT(Taken("{fieldSelectors: {spec.nodeName: n1, status.phase: Running}}"), ElementsAre("a/web-1"));
}

TEST(Select, FieldsThatCannotBeSelectedBy) {
  EXPECT_THAT(Errors("{fieldSelectors: {spec.hostname: x}}"),
              ElementsAre("spec.selector.fieldSelectors: field label not supported: spec.hostname"));
  EXPECT_THAT(Errors("{fieldSelectors: {metadata.labels.app: x}}"),
              ElementsAre("spec.selector.fieldSelectors: field label not supported: metadata.labels.app"));
  EXPECT_THAT(Errors("{fieldSelectors: {spec.restartPolicy: Always}}"),
              ElementsAre("spec.selector.fieldSelectors: spec.restartPolicy: not supported by this version"));
}

TEST(Select, Nodes) {
  EXPECT_THAT(Taken("{nodes: [n1]}"), ElementsAre("a/db", "a/web-1"));
  EXPECT_THAT(Taken("{nodes: [n1, n2]}"), ElementsAre("a/db", "a/web-1", "a/web-2"));
  EXPECT_THAT(Taken("{nodeSelectors: {zone: right}}"), ElementsAre("a/web-2"));
  EXPECT_THAT(Taken("{nodeSelectors: {zone: left, disk: ssd}}"), ElementsAre("a/db", "a/web-1"));
  // The nodes of both, not those that are in both.
  EXPECT_THAT(Taken("{nodes: [n1], nodeSelectors: {zone: right}}"),
              ElementsAre("a/db", "a/web-1", "a/web-2"));
  EXPECT_THAT(Errors("{nodes: [n3]}"), ElementsAre(kNobody));
}

TEST(Select, ANamedNodeThatIsNotThereFailsTheWholeSelection) {
  EXPECT_THAT(Errors("{nodes: [n1, n9]}"), ElementsAre("spec.selector.nodes[1]: nodes \"n9\" not found"));
}

TEST(Select, NodeSelectorsThatFitNoNodeTakeNobody) {
  EXPECT_THAT(Errors("{nodeSelectors: {zone: nowhere}}"), ElementsAre(kNobody));
}

TEST(Select, Phases) {
  EXPECT_THAT(Taken("{podPhaseSelectors: [Running]}"), ElementsAre("a/web-1"));
  EXPECT_THAT(Taken("{podPhaseSelectors: [Running, Pending]}"), ElementsAre("a/web-1", "a/web-2"));
  EXPECT_THAT(Taken("{podPhaseSelectors: ['!Failed']}"), ElementsAre("a/web-1", "a/web-2"));
  EXPECT_THAT(Taken("{podPhaseSelectors: ['!Failed', '!Pending']}"), ElementsAre("a/web-1"));
  EXPECT_THAT(Taken("{podPhaseSelectors: [Running, Pending, '!Pending']}"), ElementsAre("a/web-1"));
  EXPECT_THAT(Taken("{podPhaseSelectors: ['Running, ! Failed']}"), ElementsAre("a/web-1"));
  EXPECT_THAT(Errors("{podPhaseSelectors: [running]}"), ElementsAre(kNobody));
  EXPECT_THAT(Errors("{podPhaseSelectors: ['Run ning']}"),
              ElementsAre("spec.selector.podPhaseSelectors[0]: \"Run ning\" is no phase of a pod"));
}

TEST(Select, AllCriteriaMustHold) {
  EXPECT_THAT(
      Taken("{labelSelectors: {app: web}, nodes: [n1], podPhaseSelectors: [Running], "
            "annotationSelectors: {note: 'any text, really'}, fieldSelectors: {metadata.name: web-1}, "
            "expressionSelectors: [{key: tier, operator: Exists}]}"),
      ElementsAre("a/web-1"));
  EXPECT_THAT(Errors("{labelSelectors: {app: web}, nodes: [n1], podPhaseSelectors: [Pending]}"),
              ElementsAre(kNobody));
}

TEST(Select, NamedPodsOverrideEverythingElse) {
  EXPECT_THAT(Taken("{pods: {a: [web-2, db], b: [b1]}, labelSelectors: {app: nothing}, nodes: [n9], "
                    "fieldSelectors: {spec.hostname: x}}"),
              ElementsAre("a/web-2", "a/db", "b/b1"));
  EXPECT_THAT(Taken("{pods: {a: [web-2, not-there, web-2], nobody: [x]}}"), ElementsAre("a/web-2"));
  EXPECT_THAT(Errors("{pods: {a: [not-there]}}"), ElementsAre(kNobody));
  // No namespace at all: not an override.
  EXPECT_THAT(Taken("{pods: {}, labelSelectors: {app: db}}"), ElementsAre("a/db"));
}

TEST(Select, ModesApplyToWhatIsSelected) {
  EXPECT_EQ(Select("{}", "one").pods.size(), 1u);
  EXPECT_EQ(Select("{}", "fixed, value: '2'").pods.size(), 2u);
  EXPECT_EQ(Select("{}", "fixed-percent, value: '34'").pods.size(), 2u);
  EXPECT_EQ(Select("{pods: {a: [web-1, web-2]}}", "one").pods.size(), 1u);
}

TEST(Select, RandomMaxPercentMayDrawNobody) {
  int nobody = 0;
  const Inventory world = World();
  PodIndex index(world);
  const api::PodSelector selector{{.namespaces = {"a"}}, api::Mode::kRandomMaxPercent, "1"};
  for (uint64_t seed = 0; seed < 100; ++seed) {
    std::mt19937_64 rng(seed);
    std::vector<api::Problem> found;
    const api::Source source;
    PlanProblems problems(source, found);
    if (SelectPods(selector, "spec", false, index, rng, problems)) continue;
    ++nobody;
    EXPECT_EQ(found.at(0).message, "no pod is selected: mode random-max-percent drew 0 percent");
  }
  EXPECT_GT(nobody, 30);
  EXPECT_LT(nobody, 70);
}

TEST(Select, NamespaceFilter) {
  EXPECT_THAT(Select("{namespaces: [a, b, c]}", "one", true).errors, IsEmpty());
  EXPECT_THAT(Select("{namespaces: [a, b], labelSelectors: {app: web}}", "all", true).pods,
              ElementsAre("a/web-1", "a/web-2"));
  EXPECT_THAT(Select("{namespaces: [b]}", "all", true).errors, ElementsAre(kNobody));
  EXPECT_THAT(Select("{pods: {a: [db], b: [b1]}}", "all", true).pods, ElementsAre("a/db"));
}

TEST(Select, AnEmptyInventorySelectsNobody) {
  EXPECT_THAT(Select("{}", "all", false, {}).errors, ElementsAre(kNobody));
  EXPECT_THAT(Select("{}", "one", false, {}).errors, ElementsAre(kNobody));
}

}  // namespace
}  // namespace sabot::plan
