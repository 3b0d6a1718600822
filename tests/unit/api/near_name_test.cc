// SPDX-License-Identifier: Apache-2.0
#include "controller/api/near_name.h"

#include <string>

#include "gtest/gtest.h"

namespace sabot::api {
namespace {

constexpr std::string_view kNames[] = {"latency", "jitter", "mode", "labelSelectors", "value"};

TEST(NearName, FindsSlips) {
  EXPECT_EQ(NearestName("latencyy", kNames), "latency");
  EXPECT_EQ(NearestName("lateny", kNames), "latency");
  EXPECT_EQ(NearestName("Latency", kNames), "latency");
  EXPECT_EQ(NearestName("labelselectors", kNames), "labelSelectors");
  EXPECT_EQ(NearestName("labelSelector", kNames), "labelSelectors");
  EXPECT_EQ(NearestName("mod", kNames), "mode");
  EXPECT_EQ(NearestName("mdoe", kNames), "mode");
}

TEST(NearName, DoesNotGuessWildly) {
  EXPECT_EQ(NearestName("", kNames), "");
  EXPECT_EQ(NearestName("x", kNames), "");
  EXPECT_EQ(NearestName("node2", kNames), "");
  EXPECT_EQ(NearestName("scheduler", kNames), "");
  EXPECT_EQ(NearestName(std::string(1'000'000, 'l'), kNames), "");
}

}  // namespace
}  // namespace sabot::api
