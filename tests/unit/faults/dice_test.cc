// SPDX-License-Identifier: Apache-2.0
#include "bpf/lib/dice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace {

constexpr int kRolls = 200'000;

std::vector<double> Rolls(double correlation) {
  std::mt19937 rng(3);
  const auto share = static_cast<uint32_t>(correlation * 4294967295.0);
  uint32_t last = rng();
  std::vector<double> rolls;
  for (int i = 0; i < kRolls; ++i) rolls.push_back(sabot_roll(share, rng(), rng(), &last) / 4294967296.0);
  return rolls;
}

double Autocorrelation(const std::vector<double>& values) {
  double both = 0, own = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    own += (values[i] - 0.5) * (values[i] - 0.5);
    if (i > 0) both += (values[i] - 0.5) * (values[i - 1] - 0.5);
  }
  return both / own;
}

// Whatever the correlation, a chance of a tenth stays one: netem's way of averaging rolls does not keep that.
TEST(Roll, KeepsEveryShareUnderCorrelation) {
  for (double correlation : {0.0, 0.25, 0.9}) {
    const std::vector<double> rolls = Rolls(correlation);
    for (double chance : {0.1, 0.5, 0.9}) {
      const auto hits = std::count_if(rolls.begin(), rolls.end(), [&](double roll) { return roll < chance; });
      // Five sigma, widened by how much fewer rolls are independent.
      const double sigma = std::sqrt(chance * (1 - chance) / kRolls * (1 + correlation) / (1 - correlation));
      EXPECT_NEAR(static_cast<double>(hits) / kRolls, chance, 5 * sigma) << correlation;
    }
  }
}

TEST(Roll, IsCorrelatedAsMuchAsAsked) {
  for (double correlation : {0.0, 0.25, 0.5, 0.9}) {
    EXPECT_NEAR(Autocorrelation(Rolls(correlation)), correlation, 0.02);
  }
}

TEST(Roll, RepeatsItselfUnderFullCorrelation) {
  uint32_t last = 77;
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(sabot_roll(UINT32_MAX, 5, 9, &last), 77u);
}

TEST(Spread, IsEvenAndWithinItsBounds) {
  std::mt19937 rng(5);
  for (uint64_t spread : {1'000ull, 20'000'000ull, 3'000'000'000'000ull}) {
    const uint64_t middle = 3'000'000'000'000;
    double sum = 0, squares = 0;
    for (int i = 0; i < kRolls; ++i) {
      const uint64_t value = sabot_spread(middle, spread, rng());
      ASSERT_GE(value, middle - spread);
      ASSERT_LE(value, middle + spread);
      const double offset =
          (static_cast<double>(value) - static_cast<double>(middle)) / static_cast<double>(spread);
      sum += offset;
      squares += offset * offset;
    }
    EXPECT_NEAR(sum / kRolls, 0, 0.01);
    EXPECT_NEAR(squares / kRolls, 1.0 / 3, 0.01);
  }
}

TEST(Spread, EndsAtZero) {
  EXPECT_EQ(sabot_spread(10, 1000, 0), 0u);
  EXPECT_EQ(sabot_spread(10, 1000, UINT32_MAX), 1010u);
  EXPECT_EQ(sabot_spread(10, 0, UINT32_MAX), 10u);
}

TEST(TimeOf, IsExact) {
  EXPECT_EQ(sabot_time_of(1500, 125'000'000), 12'000u);
  EXPECT_EQ(sabot_time_of(1ull << 34, 1), (1ull << 34) * SABOT_NS_PER_SECOND);
}

}  // namespace
