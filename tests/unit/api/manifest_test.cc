// SPDX-License-Identifier: Apache-2.0
#include "controller/api/manifest.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/api/manifests.h"

namespace sabot::api {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(Manifest, OneExperiment) {
  const Manifests manifests = ParseManifests(NetworkChaosWith(""), "a.yaml");
  EXPECT_THAT(manifests.problems, IsEmpty());
  ASSERT_THAT(manifests.experiments, SizeIs(1));
  const Experiment& experiment = manifests.experiments[0];
  EXPECT_EQ(experiment.api_version, "chaos-mesh.org/v1alpha1");
  EXPECT_EQ(experiment.kind, "NetworkChaos");
  EXPECT_EQ(experiment.metadata.name, "test");
  EXPECT_EQ(experiment.metadata.Uid(), "demo/test");
  EXPECT_EQ(experiment.source.file, "a.yaml");
}

TEST(Manifest, SeveralDocuments) {
  const Manifests manifests = ParseManifests("# first\n" + NetworkChaosWith("") + "---\n---\n" +
                                                 "{apiVersion: chaos-mesh.org/v1alpha1, kind: NetworkChaos, "
                                                 "metadata: {name: b}, spec: {action: partition, "
                                                 "mode: one, selector: {}}}\n",
                                             "a.yaml");
  EXPECT_TRUE(manifests.ok());
  ASSERT_THAT(manifests.experiments, SizeIs(2));
  EXPECT_EQ(manifests.experiments[1].metadata.name, "b");
}

constexpr std::string_view kList = R"(
apiVersion: v1
kind: List
metadata: {resourceVersion: ""}
items:
- apiVersion: chaos-mesh.org/v1alpha1
  kind: NetworkChaos
  metadata: {name: a}
  spec: {action: partition, mode: all, selector: {}}
- apiVersion: chaos-mesh.org/v1alpha1
  kind: NetworkChaos
  metadata: {name: b}
  spec: {action: partition, mode: al, selector: {}}
)";

TEST(Manifest, ListOfExperiments) {
  const Manifests manifests = ParseManifests(kList, "a.yaml");
  ASSERT_THAT(manifests.experiments, SizeIs(1));
  EXPECT_EQ(manifests.experiments[0].metadata.name, "a");
  EXPECT_EQ(manifests.experiments[0].source.prefix, "items[0].");
  ASSERT_THAT(manifests.problems, SizeIs(1));
  EXPECT_EQ(ToString(manifests.problems[0]),
            "a.yaml:13: items[1].spec.mode: Unsupported value: \"al\": supported values: \"one\", \"all\", "
            "\"fixed\", "
            "\"fixed-percent\", \"random-max-percent\"");
}

TEST(Manifest, ListsThatAreNone) {
  EXPECT_THAT(ErrorsOf("apiVersion: v1\nkind: List\n"), ElementsAre("items: Required value"));
  EXPECT_THAT(ErrorsOf("apiVersion: v1\nkind: List\nitems: {}\n"),
              ElementsAre("items: must be a list, got a map"));
  EXPECT_THAT(ErrorsOf("apiVersion: v1\nkind: List\nitems: [1]\n"),
              ElementsAre("items[0]: must be a map, got an integer"));
}

TEST(Manifest, AllProblemsOfAllDocumentsByLine) {
  const std::string text =
      NetworkChaosWith("-mode\ndelay: {latencyy: 10ms, correlation: 5}\nduration: 5\nextra: x") + "---\n" +
      NetworkChaosWith("action: dleay\nspec2: 1");
  const Manifests manifests = ParseManifests(text, "f");
  std::vector<std::string> texts;
  for (const Problem& problem : manifests.problems) texts.push_back(ToString(problem));
  EXPECT_THAT(
      texts,
      ElementsAre("f:5: spec.mode: Required value: one of \"one\", \"all\", \"fixed\", \"fixed-percent\", "
                  "\"random-max-percent\"",
                  "f:7: spec.delay.latency: Required value",
                  "f:7: spec.delay.correlation: must be a string, got an integer; write \"5\"",
                  "f:7: spec.delay.latencyy: unknown field; did you mean \"latency\"?",
                  "f:8: spec.duration: must be a string, got an integer; write \"5\"",
                  "f:9: spec.extra: unknown field",
                  "f:18: spec.action: Unsupported value: \"dleay\": supported values: \"netem\", \"delay\", "
                  "\"loss\", \"duplicate\", \"corrupt\", \"partition\", \"bandwidth\"",
                  "f:19: spec.spec2: unknown field"));
  EXPECT_THAT(manifests.experiments, IsEmpty());
}

TEST(Manifest, AProblemOfOneExperimentLeavesTheOthers) {
  const Manifests manifests =
      ParseManifests(NetworkChaosWith("mode: x") + "---\n" + NetworkChaosWith(""), "a.yaml");
  EXPECT_FALSE(manifests.ok());
  EXPECT_THAT(manifests.experiments, SizeIs(1));
}

TEST(Manifest, AKeyThatIsGivenTwiceSpoilsItsDocument) {
  const Manifests manifests = ParseManifests(NetworkChaosWith("device: a\ndevice: b"), "f");
  EXPECT_THAT(manifests.experiments, IsEmpty());
  ASSERT_THAT(manifests.problems, SizeIs(1));
  EXPECT_EQ(ToString(manifests.problems[0]), "f:10: key \"device\" is given twice");
}

TEST(Manifest, TheSameObjectTwiceIsAnError) {
  EXPECT_THAT(ErrorsOf(NetworkChaosWith("") + "---\n" + NetworkChaosWith("")),
              ElementsAre("metadata.name: NetworkChaos demo/test is in this file already"));
}

TEST(Manifest, UnknownFieldsAtTheTop) {
  EXPECT_THAT(ErrorsOf(NetworkChaosWith("") + "sepc: {}\n"),
              ElementsAre("sepc: unknown field; did you mean \"spec\"?"));
}

TEST(Manifest, SpecIsRequiredAndAMap) {
  const std::string head = "apiVersion: chaos-mesh.org/v1alpha1\nkind: NetworkChaos\nmetadata: {name: a}\n";
  EXPECT_THAT(ErrorsOf(head), ElementsAre("spec: Required value"));
  EXPECT_THAT(ErrorsOf(head + "spec:\n"), ElementsAre("spec: Required value"));
  EXPECT_THAT(ErrorsOf(head + "spec: 5\n"), testing::Contains("spec: must be a map, got an integer"));
}

// What `kubectl get -o yaml` prints of an object that a cluster has.
TEST(Manifest, AnExportedObjectCanBeReadBack) {
  const Manifests manifests = ParseManifests(R"(
apiVersion: chaos-mesh.org/v1alpha1
kind: NetworkChaos
metadata:
  annotations: {experiment.chaos-mesh.org/pause: "false"}
  creationTimestamp: "2026-01-01T00:00:00Z"
  finalizers: [chaos-mesh/records]
  generation: 4
  managedFields: [{manager: kubectl, fieldsV1: {"f:spec": {}}}]
  name: web-delay
  namespace: default
  resourceVersion: "1234"
  uid: 0b0dd9a0-7d0f-4a6b-8e0e-6f6f0c5f8a11
spec:
  action: delay
  delay: {correlation: "0", jitter: 0ms, latency: 10ms}
  direction: to
  duration: 30s
  mode: one
  selector: {labelSelectors: {app: web}, namespaces: [default]}
status:
  conditions: [{type: Selected, status: "True"}]
  experiment: {desiredPhase: Run, containerRecords: []}
)",
                                             "a.yaml");
  EXPECT_THAT(manifests.problems, IsEmpty());
  ASSERT_THAT(manifests.experiments, SizeIs(1));
  EXPECT_EQ(manifests.experiments[0].metadata.Uid(), "0b0dd9a0-7d0f-4a6b-8e0e-6f6f0c5f8a11");
}

TEST(Manifest, PlansFindTheLines) {
  const Manifests manifests =
      ParseManifests(NetworkChaosWith("externalTargets: [\n    1.2.3.4,\n    x]"), "a.yaml");
  const Source& source = manifests.experiments.at(0).source;
  EXPECT_EQ(source.Find("spec.externalTargets[0]").line, 10);
  EXPECT_EQ(source.Find("spec.externalTargets[1]").line, 11);
  EXPECT_EQ(source.Find("spec.delay.latency").line, 8);
  EXPECT_EQ(source.Find("spec.delay.jitter").line, 8);
}

}  // namespace
}  // namespace sabot::api
