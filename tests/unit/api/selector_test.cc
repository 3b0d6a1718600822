// SPDX-License-Identifier: Apache-2.0
#include "controller/api/selector.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/api/manifests.h"

namespace sabot::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

std::string WithSelector(std::string_view selector) {
  return NetworkChaosWith(StrCat("selector: ", selector));
}

TEST(Selector, KeepsAllThatIsGiven) {
  const PodSelectorSpec selector = SpecOf(WithSelector(R"({
    namespaces: [a, b],
    labelSelectors: {app: web},
    expressionSelectors: [{key: tier, operator: In, values: [x, w]}, {key: z, operator: Exists}],
    annotationSelectors: {note: any text},
    fieldSelectors: {status.phase: Running},
    nodes: [n1],
    nodeSelectors: {zone: a},
    podPhaseSelectors: [Running, "!Failed"],
    pods: {demo: [p1, p2], other: []}})"))
                                       .source.selector;
  EXPECT_THAT(selector.namespaces, ElementsAre("a", "b"));
  EXPECT_THAT(selector.label_selectors, ElementsAre(Pair("app", "web")));
  ASSERT_EQ(selector.expression_selectors.size(), 2u);
  EXPECT_EQ(selector.expression_selectors[0].key, "tier");
  EXPECT_EQ(selector.expression_selectors[0].op, "In");
  EXPECT_THAT(selector.expression_selectors[0].values, ElementsAre("x", "w"));
  EXPECT_THAT(selector.annotation_selectors, ElementsAre(Pair("note", "any text")));
  EXPECT_THAT(selector.field_selectors, ElementsAre(Pair("status.phase", "Running")));
  EXPECT_THAT(selector.nodes, ElementsAre("n1"));
  EXPECT_THAT(selector.node_selectors, ElementsAre(Pair("zone", "a")));
  EXPECT_THAT(selector.pod_phase_selectors, ElementsAre("Running", "!Failed"));
  EXPECT_THAT(selector.pods, ElementsAre(Pair("demo", ElementsAre("p1", "p2")), Pair("other", IsEmpty())));
}

TEST(Selector, NamespacesDefaultToTheExperiments) {
  EXPECT_THAT(SpecOf(WithSelector("{}")).source.selector.namespaces, ElementsAre("demo"));
  EXPECT_THAT(SpecOf(WithSelector("{namespaces: []}")).source.selector.namespaces, ElementsAre("demo"));
  EXPECT_THAT(SpecOf(WithSelector("{namespaces: [x]}")).source.selector.namespaces, ElementsAre("x"));
  const NetworkChaosSpec spec = SpecOf(NetworkChaosWith("target: {mode: all, selector: {}}"));
  EXPECT_THAT(spec.target->selector.namespaces, ElementsAre("demo"));
}

// YAML 1.1, as Kubernetes' tools read it, has more booleans than one expects.
TEST(Selector, UnquotedYIsABooleanAndSaysSo) {
  EXPECT_THAT(
      ErrorsOf(WithSelector("{labelSelectors: {axis: y}}")),
      ElementsAre("spec.selector.labelSelectors[axis]: must be a string, got a boolean; write \"y\""));
}

TEST(Selector, SchemaIsChecked) {
  const struct {
    std::string_view selector;
    std::string_view error;
  } kCases[] = {
      {"{namespaces: demo}", "spec.selector.namespaces: must be a list, got a string"},
      {"{namespaces: [1]}", "spec.selector.namespaces[0]: must be a string, got an integer; write \"1\""},
      {"{labelSelectors: [app]}", "spec.selector.labelSelectors: must be a map, got a list"},
      {"{labelSelectors: {app: true}}",
       "spec.selector.labelSelectors[app]: must be a string, got a boolean; write \"true\""},
      {"{labelselectors: {}}",
       "spec.selector.labelselectors: unknown field; did you mean \"labelSelectors\"?"},
      {"{expressionSelectors: {}}", "spec.selector.expressionSelectors: must be a list, got a map"},
      {"{expressionSelectors: [{operator: In}]}", "spec.selector.expressionSelectors[0].key: Required value"},
      {"{expressionSelectors: [{key: a}]}", "spec.selector.expressionSelectors[0].operator: Required value"},
      {"{expressionSelectors: [{key: a, operator: In, value: b}]}",
       "spec.selector.expressionSelectors[0].value: unknown field; did you mean \"values\"?"},
      {"{pods: {demo: p1}}", "spec.selector.pods[demo]: must be a list, got a string"},
      {"{pods: {demo: [1]}}", "spec.selector.pods[demo][0]: must be a string, got an integer; write \"1\""},
      {"[a]", "spec.selector: must be a map, got a list"},
  };
  for (const auto& one : kCases) EXPECT_THAT(ErrorsOf(WithSelector(one.selector)), ElementsAre(one.error));
  EXPECT_THAT(ErrorsOf(NetworkChaosWith("-selector")), ElementsAre("spec.selector: Required value"));
  EXPECT_THAT(ErrorsOf(NetworkChaosWith("selector:")), ElementsAre("spec.selector: Required value"));
}

// Upstream's admission does not look at them.
TEST(Selector, SenselessContentIsAdmittedWithAWarning) {
  const struct {
    std::string_view selector;
    std::string_view warning;
  } kCases[] = {
      {"{labelSelectors: {'a b': c}}",
       "spec.selector.labelSelectors: \"a b\" is no label key; no pod can be selected"},
      {"{labelSelectors: {a: 'b c'}}",
       "spec.selector.labelSelectors: \"b c\" is no label value; no pod can be selected"},
      {"{nodeSelectors: {'-': c}}",
       "spec.selector.nodeSelectors: \"-\" is no label key; no pod can be selected"},
      {"{expressionSelectors: [{key: a, operator: Is}]}",
       "spec.selector.expressionSelectors[0].operator: \"Is\" is not a valid label selector operator; known: "
       "In, NotIn, "
       "Exists, DoesNotExist; the selection will fail"},
      {"{podPhaseSelectors: [running]}",
       "spec.selector.podPhaseSelectors[0]: \"running\" is no phase of a pod; known: Pending, Running, "
       "Succeeded, "
       "Failed, Unknown"},
      {"{namespaces: [a, B]}", "spec.selector.namespaces[1]: \"B\" is no name of a namespace"},
  };
  for (const auto& one : kCases) {
    EXPECT_THAT(ErrorsOf(WithSelector(one.selector)), IsEmpty());
    EXPECT_THAT(WarningsOf(WithSelector(one.selector)), ElementsAre(one.warning));
  }
}

std::string WithMode(std::string_view mode, std::string_view value) {
  return NetworkChaosWith(StrCat("mode: ", mode, "\nvalue: \"", value, "\""));
}

TEST(Mode, IsOneOfFive) {
  EXPECT_EQ(SpecOf(WithMode("one", "")).source.mode, Mode::kOne);
  EXPECT_EQ(SpecOf(WithMode("all", "")).source.mode, Mode::kAll);
  EXPECT_EQ(SpecOf(WithMode("fixed", "1")).source.mode, Mode::kFixed);
  EXPECT_EQ(SpecOf(WithMode("fixed-percent", "1")).source.mode, Mode::kFixedPercent);
  EXPECT_EQ(SpecOf(WithMode("random-max-percent", "1")).source.mode, Mode::kRandomMaxPercent);
  for (std::string_view mode : {"any", "One", "\"\""}) {
    EXPECT_THAT(ErrorsOf(WithMode(mode, "1")), ElementsAre(HasSubstr("spec.mode: Unsupported value: ")))
        << mode;
  }
}

TEST(Mode, ValueRules) {
  const struct {
    std::string_view mode;
    std::string_view value;
    std::string_view error;  // empty: accepted
  } kCases[] = {
      {"one", "whatever", ""},
      {"all", "-7", ""},
      {"fixed", "1", ""},
      {"fixed", "1000000", ""},
      {"fixed", "0", R"(Invalid value: "0": value must be greater than 0 with mode:fixed)"},
      {"fixed", "-1", R"(Invalid value: "-1": value must be greater than 0 with mode:fixed)"},
      {"fixed", "", R"(Invalid value: "": parse value field error:strconv.Atoi: parsing "": invalid syntax)"},
      {"fixed", "x",
       R"(Invalid value: "x": parse value field error:strconv.Atoi: parsing "x": invalid syntax)"},
      {"fixed-percent", "1", ""},
      {"fixed-percent", "100", ""},
      {"fixed-percent", "0",
       R"(Invalid value: "0": value of 0 is invalid, Must be (0,100] with mode:fixed-percent)"},
      {"fixed-percent", "101",
       R"(Invalid value: "101": value of 101 is invalid, Must be (0,100] with mode:fixed-percent)"},
      {"fixed-percent", "50%",
       R"(Invalid value: "50%": parse value field error:strconv.Atoi: parsing "50%": invalid syntax)"},
      {"random-max-percent", "1", ""},
      {"random-max-percent", "100", ""},
      {"random-max-percent", "-5",
       R"(Invalid value: "-5": value of -5 is invalid, Must be (0,100] with mode:random-max-percent)"},
      {"random-max-percent", "101",
       R"(Invalid value: "101": value of 101 is invalid, Must be (0,100] with mode:random-max-percent)"},
  };
  for (const auto& one : kCases) {
    const std::vector<std::string> errors = ErrorsOf(WithMode(one.mode, one.value));
    if (one.error.empty()) {
      EXPECT_THAT(errors, IsEmpty()) << one.mode << " " << one.value;
    } else {
      EXPECT_THAT(errors, ElementsAre(StrCat("spec.value: ", one.error)));
    }
  }
}

TEST(Mode, ValueIsAString) {
  EXPECT_THAT(ErrorsOf(NetworkChaosWith("mode: fixed\nvalue: 5")),
              ElementsAre("spec.value: must be a string, got an integer; write \"5\""));
}

TEST(Mode, TheTargetHasItsOwn) {
  EXPECT_THAT(
      ErrorsOf(NetworkChaosWith("target: {mode: fixed, value: '0', selector: {}}")),
      ElementsAre("spec.target.value: Invalid value: \"0\": value must be greater than 0 with mode:fixed"));
  EXPECT_THAT(ErrorsOf(NetworkChaosWith("target: {selector: {}}")),
              ElementsAre(HasSubstr("spec.target.mode: Required value")));
  EXPECT_THAT(ErrorsOf(NetworkChaosWith("target: {mode: all}")),
              ElementsAre("spec.target.selector: Required value"));
  EXPECT_THAT(ErrorsOf(NetworkChaosWith("target: {mode: all, selector: {}, valu: x}")),
              ElementsAre("spec.target.valu: unknown field; did you mean \"value\"?"));
}

}  // namespace
}  // namespace sabot::api
