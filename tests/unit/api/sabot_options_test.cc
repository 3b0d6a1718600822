// SPDX-License-Identifier: Apache-2.0
#include "controller/api/sabot_options.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/api/manifests.h"

namespace sabot::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

SabotOptions OptionsOf(std::string_view value) {
  return SpecOf(NetworkChaosWith(StrCat("sabot: ", value))).sabot;
}
std::vector<std::string> ErrorsWith(std::string_view value) {
  return ErrorsOf(NetworkChaosWith(StrCat("sabot: ", value)));
}

TEST(SabotOptions, AbsentMeansAsUpstream) {
  const SabotOptions options = SpecOf(NetworkChaosWith("")).sabot;
  EXPECT_THAT(options.mechanism, IsEmpty());
  EXPECT_EQ(options.fidelity, MinimumFidelity::kAny);
  EXPECT_EQ(options.max_targets, std::nullopt);
  EXPECT_THAT(ErrorsWith("{}"), IsEmpty());
  EXPECT_THAT(ErrorsWith(""), IsEmpty());
}

TEST(SabotOptions, MechanismIsANameOrAList) {
  EXPECT_THAT(OptionsOf("{mechanism: edt}").mechanism, ElementsAre("edt"));
  EXPECT_THAT(OptionsOf("{mechanism: [edt, netem]}").mechanism, ElementsAre("edt", "netem"));
  EXPECT_THAT(ErrorsWith("{mechanism: []}"),
              ElementsAre("spec.sabot.mechanism: must name at least one mechanism"));
  EXPECT_THAT(ErrorsWith("{mechanism: 5}"),
              ElementsAre("spec.sabot.mechanism: must be a string or a list of strings, got an integer"));
  EXPECT_THAT(ErrorsWith("{mechanism: [5]}"),
              ElementsAre(HasSubstr("spec.sabot.mechanism[0]: must be a string")));
  EXPECT_THAT(ErrorsWith("{mechanism: 'a b'}"),
              ElementsAre("spec.sabot.mechanism: \"a b\" is no name of a mechanism"));
  EXPECT_THAT(ErrorsWith("{mechanism: ''}"),
              ElementsAre("spec.sabot.mechanism: \"\" is no name of a mechanism"));
}

TEST(SabotOptions, FidelityIsDegradedOrExact) {
  EXPECT_EQ(OptionsOf("{fidelity: exact}").fidelity, MinimumFidelity::kExact);
  EXPECT_EQ(OptionsOf("{fidelity: degraded}").fidelity, MinimumFidelity::kDegraded);
  EXPECT_THAT(
      ErrorsWith("{fidelity: best}"),
      ElementsAre(
          "spec.sabot.fidelity: Unsupported value: \"best\": supported values: \"degraded\", \"exact\""));
}

TEST(SabotOptions, MaxTargetsCountsFromOne) {
  EXPECT_EQ(OptionsOf("{maxTargets: 1}").max_targets, 1);
  EXPECT_EQ(OptionsOf("{maxTargets: 1.0}").max_targets, 1);
  EXPECT_THAT(ErrorsWith("{maxTargets: 0}"),
              ElementsAre("spec.sabot.maxTargets: Invalid value: 0: must be greater than or equal to 1"));
  EXPECT_THAT(ErrorsWith("{maxTargets: 1.5}"),
              ElementsAre("spec.sabot.maxTargets: must be an integer, got a number"));
  EXPECT_THAT(ErrorsWith("{maxTargets: '1'}"),
              ElementsAre("spec.sabot.maxTargets: must be an integer, got a string"));
}

TEST(SabotOptions, TyposAreFound) {
  EXPECT_THAT(ErrorsWith("{maxTarget: 1}"),
              ElementsAre("spec.sabot.maxTarget: unknown field; did you mean \"maxTargets\"?"));
  EXPECT_THAT(ErrorsWith("true"), ElementsAre("spec.sabot: must be a map, got a boolean"));
}

}  // namespace
}  // namespace sabot::api
