// SPDX-License-Identifier: Apache-2.0
#include "controller/api/problem.h"

#include "controller/api/report.h"
#include "controller/api/source.h"
#include "gtest/gtest.h"

namespace sabot::api {
namespace {

TEST(Problem, ReadsLikeACompilersMessage) {
  Problem problem{Severity::kError, "a.yaml", 7, 3, "spec.delay.latency", "is wrong"};
  EXPECT_EQ(ToString(problem), "a.yaml:7: spec.delay.latency: is wrong");
  problem.severity = Severity::kWarning;
  EXPECT_EQ(ToString(problem), "a.yaml:7: warning: spec.delay.latency: is wrong");
  problem.field = "";
  EXPECT_EQ(ToString(problem), "a.yaml:7: warning: is wrong");
}

TEST(Problem, LeavesOutWhatIsNotKnown) {
  EXPECT_EQ(ToString({Severity::kError, "a.yaml", 0, 0, "", "is wrong"}), "a.yaml: is wrong");
  EXPECT_EQ(ToString({Severity::kError, "", 3, 1, "", "is wrong"}), "line 3: is wrong");
  EXPECT_EQ(ToString({Severity::kError, "", 0, 0, "spec", "is wrong"}), "spec: is wrong");
}

TEST(Problem, WarningsAreNoErrors) {
  EXPECT_FALSE(HasErrors({}));
  EXPECT_FALSE(HasErrors({Problem{Severity::kWarning, "", 0, 0, "", "x"}}));
  EXPECT_TRUE(HasErrors({Problem{Severity::kWarning, "", 0, 0, "", "x"}, Problem{}}));
}

TEST(Source, FindsTheNearestFieldThatIsInTheFile) {
  Source source{
      "a.yaml", "", {1, 1}, {{"spec", {4, 1}}, {"spec.delay", {9, 3}}, {"spec.externalTargets[1]", {12, 5}}}};
  EXPECT_EQ(source.Find("spec.delay").line, 9);
  EXPECT_EQ(source.Find("spec.delay.latency").line, 9);
  EXPECT_EQ(source.Find("spec.loss.loss").line, 4);
  EXPECT_EQ(source.Find("spec.externalTargets[1]").line, 12);
  EXPECT_EQ(source.Find("spec.externalTargets[2]").line, 4);
  EXPECT_EQ(source.Find("metadata").line, 1);
  EXPECT_EQ(source.Find("").line, 1);
}

TEST(Source, NamesTheObjectWithinAList) {
  const Source source{"a.yaml", "items[2].", {5, 3}, {}};
  EXPECT_EQ(ToString(source.MakeProblem(Severity::kError, "spec.mode", "x")),
            "a.yaml:5: items[2].spec.mode: x");
  EXPECT_EQ(ToString(source.MakeProblem(Severity::kError, "", "x")), "a.yaml:5: items[2]: x");
}

TEST(Report, NamesTheCauseOnly) {
  Report report("a.yaml");
  report.Error({3, 1}, "spec.mode", "the cause");
  report.Error({3, 1}, "spec.mode", "what follows from it");
  report.BeginObject("");
  report.Error({9, 1}, "spec.mode", "the same field of another object");
  EXPECT_EQ(report.Take().size(), 2u);
}

TEST(Report, SortsByLine) {
  Report report("a.yaml");
  report.Error({3, 1}, "c", "third");
  report.Warning({1, 1}, "a", "first");
  report.Error({1, 1}, "b", "second");
  const auto problems = report.Take();
  ASSERT_EQ(problems.size(), 3u);
  EXPECT_EQ(problems[0].message, "first");
  EXPECT_EQ(problems[1].message, "second");
  EXPECT_EQ(problems[2].message, "third");
}

TEST(Report, IsBounded) {
  Report report("a.yaml");
  for (int i = 0; i < 5000; ++i) report.Warning({i, 1}, "x", std::string(5000, 'y'));
  EXPECT_TRUE(report.full());
  const auto problems = report.Take();
  EXPECT_EQ(problems.size(), Report::kMaxProblems + 1);
  EXPECT_LT(problems.front().message.size(), 1100u);
  // What was dropped may have been an error.
  EXPECT_TRUE(HasErrors(problems));
}

TEST(Quoted, EscapesAndCutsBetweenCharacters) {
  EXPECT_EQ(Quoted("a\"b\n"), R"("a\"b\n")");
  EXPECT_EQ(Quoted("\u00e4"), "\"\u00e4\"");
  std::string umlauts = "x";
  for (int i = 0; i < 100; ++i) umlauts += "\u00e4";
  EXPECT_TRUE(Quoted(umlauts).ends_with("\u00e4...\"")) << Quoted(umlauts);
}

}  // namespace
}  // namespace sabot::api
