// SPDX-License-Identifier: Apache-2.0
#include "controller/api/rate.h"

#include <string>

#include "gtest/gtest.h"

namespace sabot::api {
namespace {

TEST(Rate, CountsBitsByThousandsAndBytesBy1024) {
  const struct {
    std::string_view text;
    uint64_t bits_per_second;
  } kCases[] = {
      {"0bit", 0},
      {"5bit", 5},
      {"1kbit", 1'000},
      {"1mbit", 1'000'000},
      {"1gbit", 1'000'000'000},
      {"1tbit", 1'000'000'000'000},
      {"1bps", 8},
      {"1kbps", 8 * 1024},
      {"1mbps", 8 * 1024 * 1024},
      {"1gbps", 8ull << 30},
      {"1tbps", 8ull << 40},
      {"10 MBPS", 80ull << 20},
      {" 7 kBit ", 7'000},
      {"18446744073709551615bit", UINT64_MAX},
  };
  for (const auto& one : kCases) {
    const auto rate = ParseRate(one.text);
    ASSERT_TRUE(rate.ok()) << one.text << ": " << rate.status();
    EXPECT_EQ(*rate, one.bits_per_second) << one.text;
  }
}

TEST(Rate, RefusesTheRest) {
  const struct {
    std::string_view text;
    std::string_view message;
  } kCases[] = {
      {"", "invalid unit"},
      {"10", "invalid unit"},
      {"10mb", "invalid unit"},
      {"10 mbits", "invalid unit"},
      {"mbps", R"(strconv.ParseUint: parsing "": invalid syntax)"},
      {"-1mbps", R"(strconv.ParseUint: parsing "-1": invalid syntax)"},
      {"1.5mbps", R"(strconv.ParseUint: parsing "1.5": invalid syntax)"},
      {"1e3bit", R"(strconv.ParseUint: parsing "1e3": invalid syntax)"},
      {"18446744073709551616bit", R"(strconv.ParseUint: parsing "18446744073709551616": value out of range)"},
      {"18446744073709551615bps", "rate is too large"},
  };
  for (const auto& one : kCases) {
    const auto rate = ParseRate(one.text);
    ASSERT_FALSE(rate.ok()) << one.text;
    EXPECT_EQ(std::string(rate.status().message()), one.message) << one.text;
  }
}

}  // namespace
}  // namespace sabot::api
