// SPDX-License-Identifier: Apache-2.0
#include "controller/api/metadata.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/api/manifests.h"

namespace sabot::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string With(std::string_view metadata) {
  return StrCat("apiVersion: chaos-mesh.org/v1alpha1\nkind: NetworkChaos\nmetadata: ", metadata,
                "\nspec: {action: partition, mode: all, selector: {}}\n");
}

ObjectMeta MetadataOf(std::string_view metadata, std::string_view file = "a.yaml") {
  const Manifests manifests = ParseManifests(With(metadata), file);
  EXPECT_TRUE(manifests.ok()) << (manifests.problems.empty() ? "" : ToString(manifests.problems[0]));
  return manifests.experiments.empty() ? ObjectMeta() : manifests.experiments[0].metadata;
}

TEST(Metadata, NamespaceDefaultsToDefault) {
  EXPECT_EQ(MetadataOf("{name: a}").ns, "default");
  EXPECT_EQ(MetadataOf("{name: a, namespace: demo}").ns, "demo");
  EXPECT_EQ(MetadataOf("{name: a, namespace: ''}").ns, "default");
}

TEST(Metadata, UidIsTheObjectsOrItsName) {
  EXPECT_EQ(MetadataOf("{name: a}").Uid(), "default/a");
  EXPECT_EQ(MetadataOf("{name: a, uid: u-1}").Uid(), "u-1");
}

TEST(Metadata, KeepsLabelsAndAnnotations) {
  const ObjectMeta meta = MetadataOf("{name: a, labels: {x: '1'}, annotations: {y: 'any text'}}");
  EXPECT_THAT(meta.labels, ElementsAre(testing::Pair("x", "1")));
  EXPECT_THAT(meta.annotations, ElementsAre(testing::Pair("y", "any text")));
}

TEST(Metadata, NameIsRequired) {
  EXPECT_THAT(ErrorsOf(With("{}")), ElementsAre("metadata.name: Required value"));
  EXPECT_THAT(ErrorsOf(With("")), ElementsAre("metadata: Required value"));
  EXPECT_THAT(ErrorsOf(With("{name: ''}")),
              ElementsAre(HasSubstr("metadata.name: Invalid value: \"\": must be")));
}

TEST(Metadata, NamesAreChecked) {
  EXPECT_THAT(ErrorsOf(With("{name: Upper}")),
              ElementsAre(HasSubstr("metadata.name: Invalid value: \"Upper\": must be 1 to 253")));
  EXPECT_THAT(ErrorsOf(With("{name: a, namespace: a.b}")),
              ElementsAre(HasSubstr("metadata.namespace: Invalid value: \"a.b\": must be 1 to 63")));
  EXPECT_THAT(ErrorsOf(With("{name: 5}")),
              ElementsAre("metadata.name: must be a string, got an integer; write \"5\""));
}

TEST(Metadata, GenerateNameGivesTheSameNameEachTime) {
  const ObjectMeta one = MetadataOf("{generateName: web-}");
  EXPECT_THAT(one.name, testing::MatchesRegex("web-[0-9a-f]{5}"));
  EXPECT_EQ(MetadataOf("{generateName: web-}").name, one.name);
  EXPECT_NE(MetadataOf("{generateName: web-}", "other.yaml").name, one.name);
  EXPECT_EQ(MetadataOf("{generateName: web-, name: web}").name, "web");
  EXPECT_THAT(ErrorsOf(With("{generateName: WEB-}")),
              ElementsAre(HasSubstr("metadata.generateName: Invalid value")));
}

TEST(Metadata, ObjectsOfOneFileWithGeneratedNamesDiffer) {
  const Manifests manifests =
      ParseManifests(With("{generateName: a-}") + "---\n" + With("{generateName: a-}"), "f");
  ASSERT_EQ(manifests.experiments.size(), 2u);
  EXPECT_NE(manifests.experiments[0].metadata.name, manifests.experiments[1].metadata.name);
}

TEST(Metadata, TyposAreFound) {
  EXPECT_THAT(ErrorsOf(With("{name: a, namespce: b}")),
              ElementsAre("metadata.namespce: unknown field; did you mean \"namespace\"?"));
  EXPECT_THAT(ErrorsOf(With("{name: a, labels: {x: 1}}")),
              ElementsAre("metadata.labels[x]: must be a string, got an integer; write \"1\""));
}

}  // namespace
}  // namespace sabot::api
