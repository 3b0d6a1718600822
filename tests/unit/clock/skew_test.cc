// SPDX-License-Identifier: Apache-2.0
#include "agent/clock/skew.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sabot::agent {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr uint64_t kNow = 1000 * kSecond;
constexpr ClockReadings kClocks = {5000 * kSecond, 900 * kSecond,  900 * kSecond, 900 * kSecond,
                                   800 * kSecond,  5000 * kSecond, 900 * kSecond, 1000 * kSecond,
                                   5000 * kSecond, 1000 * kSecond};

ShimSetting MustSum(std::vector<Skew> skews, uint64_t lease = kNow + 3 * kSecond) {
  const auto setting = SumOf(skews, kClocks, kNow, lease);
  EXPECT_TRUE(setting.ok()) << setting.status();
  return *setting;
}

const ShimClock& Of(const ShimSetting& setting, int clock) {
  return setting.table.sums[setting.table.index[clock]];
}

TEST(SumOf, NothingIsNothing) { EXPECT_EQ(MustSum({}), ShimSetting{}); }

TEST(SumOf, EndsAtTheLeaseOrTheDeadlineInTheClocksOwnTime) {
  const ShimSetting leased =
      MustSum({{.clocks = 1 << 0 | 1 << 7, .offset_ns = 60 * kSecond, .begin_ns = kNow}});
  EXPECT_EQ(leased.mask, 1U << 0 | 1U << 7);
  EXPECT_EQ(Of(leased, 0).end_sec, 5003);
  EXPECT_EQ(Of(leased, 7).end_sec, 1003);
  EXPECT_EQ(Of(leased, 7).offset_sec, 60);
  const ShimSetting due =
      MustSum({{.clocks = 1, .offset_ns = 1, .begin_ns = kNow, .end_ns = kNow + 500'000'000}});
  EXPECT_EQ(Of(due, 0).end_sec, 5000);
  EXPECT_EQ(Of(due, 0).end_nsec, 500'000'000U);
}

TEST(SumOf, AddsUpAndKeepsNanosecondsPositive) {
  const ShimSetting sum = MustSum({{.clocks = 3, .offset_ns = 3600 * kSecond, .begin_ns = kNow},
                                   {.clocks = 2, .offset_ns = -3600 * kSecond - 1, .begin_ns = kNow}});
  EXPECT_EQ(Of(sum, 0).offset_sec, 3600);
  EXPECT_EQ(Of(sum, 0).offset_nsec, 0U);
  EXPECT_EQ(Of(sum, 1).offset_sec, -1);
  EXPECT_EQ(Of(sum, 1).offset_nsec, 999'999'999U);
}

TEST(SumOf, ARateCountsFromTheBegin) {
  // 10 % fast for a second until now, and three more until the end.
  const ShimSetting sum =
      MustSum({{.clocks = 1, .offset_ns = 0, .rate_ppb = 100'000'000, .begin_ns = kNow - kSecond}});
  EXPECT_EQ(Of(sum, 0).rate_ppb, 100'000'000);
  EXPECT_EQ(Of(sum, 0).offset_sec, 0);
  EXPECT_EQ(Of(sum, 0).offset_nsec, 400'000'000U);
}

TEST(SumOf, RefusesAClockThatRunsBackwards) {
  const std::vector<Skew> skews(2, {.clocks = 1, .rate_ppb = -600'000'000, .begin_ns = kNow});
  EXPECT_EQ(SumOf(skews, kClocks, kNow, kNow + kSecond).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(SumOf, RefusesMoreSumsThanThereIsRoomFor) {
  std::vector<Skew> skews;
  for (int clock = 0; clock < kClockCount; ++clock) {
    skews.push_back({.clocks = 1U << clock, .offset_ns = clock + 1, .begin_ns = kNow});
  }
  EXPECT_EQ(SumOf(skews, kClocks, kNow, kNow + kSecond).status().code(),
            absl::StatusCode::kFailedPrecondition);
  skews.resize(kShimSums);
  EXPECT_TRUE(SumOf(skews, kClocks, kNow, kNow + kSecond).ok());
}

TEST(SumOf, TheLargestOffsetsDoNotOverflow) {
  const std::vector<Skew> skews(3, {.clocks = 1, .offset_ns = INT64_MAX, .begin_ns = kNow});
  EXPECT_EQ(Of(MustSum(skews), 0).offset_sec, 3 * (INT64_MAX / kSecond) + 2);
}

}  // namespace
}  // namespace sabot::agent
