// SPDX-License-Identifier: Apache-2.0
#include "controller/plan/mode.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sabot::plan {
namespace {

using api::Mode;
using testing::ElementsAre;

std::vector<size_t> Choose(Mode mode, const std::string& value, size_t count, uint64_t seed = 1) {
  std::mt19937_64 rng(seed);
  return ChooseByMode(mode, value, count, rng).value();
}

std::string ErrorOf(Mode mode, const std::string& value, size_t count) {
  std::mt19937_64 rng;
  return std::string(ChooseByMode(mode, value, count, rng).status().message());
}

// Pearson's sum for counts that should be equal.
double ChiSquare(const std::vector<int>& counts) {
  const double expected =
      std::accumulate(counts.begin(), counts.end(), 0.0) / static_cast<double>(counts.size());
  double sum = 0;
  for (int count : counts) sum += (count - expected) * (count - expected) / expected;
  return sum;
}

TEST(Mode, AllTakesAllInOrder) {
  EXPECT_THAT(Choose(Mode::kAll, "", 3), ElementsAre(0, 1, 2));
  EXPECT_THAT(Choose(Mode::kAll, "nonsense", 1), ElementsAre(0));
}

TEST(Mode, OneIsUniform) {
  std::mt19937_64 rng(42);
  std::vector<int> counts(10);
  for (int i = 0; i < 100'000; ++i) {
    const auto choice = ChooseByMode(Mode::kOne, "", counts.size(), rng).value();
    ASSERT_EQ(choice.size(), 1u);
    ++counts[choice[0]];
  }
  EXPECT_LT(ChiSquare(counts), 27.9);  // 9 degrees of freedom, one run in a thousand; the seed is fixed
}

TEST(Mode, FixedTakesDifferentOnesUniformly) {
  std::mt19937_64 rng(42);
  std::vector<int> counts(10);
  for (int i = 0; i < 50'000; ++i) {
    const auto choice = ChooseByMode(Mode::kFixed, "3", counts.size(), rng).value();
    ASSERT_EQ(std::set<size_t>(choice.begin(), choice.end()).size(), 3u);
    ASSERT_TRUE(std::is_sorted(choice.begin(), choice.end()));
    for (size_t chosen : choice) ++counts[chosen];
  }
  EXPECT_LT(ChiSquare(counts), 27.9);
}

TEST(Mode, FixedTakesNoMoreThanThereAre) {
  EXPECT_EQ(Choose(Mode::kFixed, "3", 3).size(), 3u);
  EXPECT_EQ(Choose(Mode::kFixed, "4", 3).size(), 3u);
  EXPECT_EQ(Choose(Mode::kFixed, "9223372036854775807", 3).size(), 3u);
}

TEST(Mode, FixedPercentRoundsUp) {
  const struct {
    const char* percent;
    size_t count;
    size_t taken;
  } kCases[] = {{"67", 3, 3}, {"66", 3, 2}, {"1", 1, 1},   {"1", 100, 1},   {"1", 101, 2},
                {"50", 2, 1}, {"50", 3, 2}, {"100", 7, 7}, {"99", 100, 99}, {"99", 101, 100}};
  for (const auto& one : kCases) {
    EXPECT_EQ(Choose(Mode::kFixedPercent, one.percent, one.count).size(), one.taken)
        << one.percent << " " << one.count;
  }
}

TEST(Mode, RandomMaxPercentIsUniformFromNoneToTheMaximum) {
  std::mt19937_64 rng(42);
  std::vector<int> counts(11);  // 0 to 10 percent of 100
  for (int i = 0; i < 110'000; ++i) {
    ++counts[ChooseByMode(Mode::kRandomMaxPercent, "10", 100, rng).value().size()];
  }
  EXPECT_LT(ChiSquare(counts), 29.6);  // 10 degrees of freedom
}

TEST(Mode, RandomMaxPercentRoundsUp) {
  std::set<size_t> sizes;
  for (uint64_t seed = 0; seed < 200; ++seed)
    sizes.insert(Choose(Mode::kRandomMaxPercent, "34", 3, seed).size());
  EXPECT_THAT(sizes, ElementsAre(0, 1, 2));  // 34 percent of 3 is 1.02
}

TEST(Mode, TheSameSeedTakesTheSame) {
  EXPECT_EQ(Choose(Mode::kFixed, "5", 1000, 7), Choose(Mode::kFixed, "5", 1000, 7));
  EXPECT_NE(Choose(Mode::kFixed, "5", 1000, 7), Choose(Mode::kFixed, "5", 1000, 8));
  // The generator is the standard's, so this holds everywhere.
  EXPECT_THAT(Choose(Mode::kFixed, "3", 100, 1), ElementsAre(28, 62, 79));
}

TEST(Mode, Errors) {
  EXPECT_EQ(ErrorOf(Mode::kOne, "", 0), "cannot generate objects from empty list");
  EXPECT_EQ(ErrorOf(Mode::kFixed, "0", 3), "cannot select any object as value below or equal 0");
  EXPECT_EQ(ErrorOf(Mode::kFixed, "-1", 3), "cannot select any object as value below or equal 0");
  EXPECT_EQ(ErrorOf(Mode::kFixed, "x", 3), "strconv.Atoi: parsing \"x\": invalid syntax");
  EXPECT_EQ(ErrorOf(Mode::kFixedPercent, "0", 3), "cannot select any object as value below or equal 0");
  EXPECT_EQ(ErrorOf(Mode::kFixedPercent, "101", 3),
            "fixed percentage value of 101 is invalid, Must be (0,100]");
  EXPECT_EQ(ErrorOf(Mode::kFixedPercent, "-1", 3),
            "fixed percentage value of -1 is invalid, Must be (0,100]");
  EXPECT_EQ(ErrorOf(Mode::kRandomMaxPercent, "0", 3), "cannot select any object as value below or equal 0");
  EXPECT_EQ(ErrorOf(Mode::kRandomMaxPercent, "101", 3),
            "fixed percentage value of 101 is invalid, Must be [0-100]");
}

TEST(UniformBelow, StaysBelow) {
  std::mt19937_64 rng(3);
  for (uint64_t bound :
       {uint64_t{1}, uint64_t{2}, uint64_t{3}, uint64_t{1} << 63, (uint64_t{1} << 63) + 1, UINT64_MAX}) {
    for (int i = 0; i < 100; ++i) EXPECT_LT(UniformBelow(bound, rng), bound);
  }
}

// With a bound of 3/4 of the range, a plain remainder would take the lower third twice as often.
TEST(UniformBelow, HasNoBiasWithLargeBounds) {
  std::mt19937_64 rng(3);
  const uint64_t bound = (uint64_t{1} << 63) + (uint64_t{1} << 62);
  std::vector<int> counts(3);
  for (int i = 0; i < 30'000; ++i) ++counts[UniformBelow(bound, rng) / (bound / 3)];
  EXPECT_LT(ChiSquare(counts), 13.8);
}

}  // namespace
}  // namespace sabot::plan
