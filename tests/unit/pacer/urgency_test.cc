// SPDX-License-Identifier: Apache-2.0
#include "agent/pacer/urgency.h"

#include <gtest/gtest.h>

namespace sabot::pacer {
namespace {

TEST(UrgencyBudget, LastsForLightWork) {
  UrgencyBudget budget;
  for (int i = 0; i < 10000; ++i) {
    budget.Worked(400 * kMicrosecond);
    budget.Slept(600 * kMicrosecond);
    ASSERT_TRUE(budget.urgent());
  }
}

TEST(UrgencyBudget, EndsWhenThereIsNoSleep) {
  UrgencyBudget budget;
  budget.Worked(9 * kMillisecond);
  EXPECT_TRUE(budget.urgent());
  budget.Worked(1 * kMillisecond);
  EXPECT_FALSE(budget.urgent());
  budget.Worked(kSecond);
  EXPECT_FALSE(budget.urgent());
}

TEST(UrgencyBudget, ComesBackAfterRest) {
  UrgencyBudget budget;
  budget.Worked(kSecond);
  budget.Slept(9 * kMillisecond);
  EXPECT_FALSE(budget.urgent());
  budget.Worked(kSecond);  // ordinary work costs nothing
  budget.Slept(1 * kMillisecond);
  EXPECT_TRUE(budget.urgent());
}

}  // namespace
}  // namespace sabot::pacer
