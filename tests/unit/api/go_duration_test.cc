// SPDX-License-Identifier: Apache-2.0
//
// The values and texts are those of Go 1.2x's time.ParseDuration.
#include "controller/api/go_duration.h"

#include <cstdint>
#include <limits>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sabot::api {
namespace {

struct Accepted {
  std::string_view text;
  int64_t ns;
};

class GoDurationAccepts : public testing::TestWithParam<Accepted> {};

TEST_P(GoDurationAccepts, WhatGoAccepts) {
  const auto duration = ParseGoDuration(GetParam().text);
  ASSERT_TRUE(duration.ok()) << GetParam().text << ": " << duration.status();
  EXPECT_EQ(*duration, absl::Nanoseconds(GetParam().ns)) << GetParam().text;
}

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

constexpr Accepted kAccepted[] = {
    {"0", 0},
    {"+0", 0},
    {"-0", 0},
    {"0s", 0},
    {"1ns", 1},
    {"1us", 1'000},
    {"1\u00b5s", 1'000},
    {"1\u03bcs", 1'000},
    {"1ms", 1'000'000},
    {"1s", 1'000'000'000},
    {"1m", 60'000'000'000},
    {"1h", 3'600'000'000'000},
    {"+5s", 5'000'000'000},
    {"-5s", -5'000'000'000},
    {"1h2m3.5s", 3'723'500'000'000},
    {"39h9m14.425s", 140'954'425'000'000},
    {"1ms1ms", 2'000'000},
    {".5s", 500'000'000},
    {"5.s", 5'000'000'000},
    // The limits of 64 bits, from both sides; the other sides are refused below.
    {"9223372036854775807ns", kMax},
    {"9223372036854775.807us", kMax},
    {"9223372036s854ms775us807ns", kMax},
    {"2562047h47m16.854775807s", kMax},
    {"-9223372036854775808ns", kMin},
    {"-2562047h47m16.854775808s", kMin},
    {"-4611686018427387904ns4611686018427387904ns", kMin},
    // Fractions: digits beyond 63 bits are dropped.
    {"0.9223372036854775807s", 922'337'203},
    {"0.9223372036854775808s", 922'337'203},
    {"0.100000000000000000000h", 360'000'000'000},
    {"0.830103483285477580700h", 2'988'372'539'827},
    {"0.0000000000000000000000001s", 0},
    {"1.0000000000000000000000001s", 1'000'000'000},
};

INSTANTIATE_TEST_SUITE_P(All, GoDurationAccepts, testing::ValuesIn(kAccepted));

struct Refused {
  std::string_view text;
  std::string_view message;
};

class GoDurationRefuses : public testing::TestWithParam<Refused> {};

TEST_P(GoDurationRefuses, WithGosWords) {
  const auto duration = ParseGoDuration(GetParam().text);
  ASSERT_FALSE(duration.ok()) << GetParam().text;
  EXPECT_EQ(std::string(duration.status().message()), GetParam().message);
}

constexpr Refused kRefused[] = {
    {"", R"(time: invalid duration "")"},
    {"-", R"(time: invalid duration "-")"},
    {"+", R"(time: invalid duration "+")"},
    {"--5s", R"(time: invalid duration "--5s")"},
    {".s", R"(time: invalid duration ".s")"},
    {" 1s", R"(time: invalid duration " 1s")"},
    {"00", R"(time: missing unit in duration "00")"},
    {"5", R"(time: missing unit in duration "5")"},
    {"1.2.3s", R"(time: missing unit in duration "1.2.3s")"},
    {"5y", R"(time: unknown unit "y" in duration "5y")"},
    {"1d", R"(time: unknown unit "d" in duration "1d")"},
    {"10MS", R"(time: unknown unit "MS" in duration "10MS")"},
    {"1e3s", R"(time: unknown unit "e" in duration "1e3s")"},
    {"1 s", R"(time: unknown unit " s" in duration "1 s")"},
    {"1\"s", R"(time: unknown unit "\"s" in duration "1\"s")"},
    {"1\\s", R"(time: unknown unit "\\s" in duration "1\\s")"},
    {"\x85\x85", R"(time: invalid duration "\x85\x85")"},
    {"hello \xff world", R"(time: invalid duration "hello \xff world")"},
    {std::string_view("1\0s", 3), R"(time: unknown unit "\x00s" in duration "1\x00s")"},
    // One nanosecond too many.
    {"9223372036854775808ns", R"(time: invalid duration "9223372036854775808ns")"},
    {"-9223372036854775809ns", R"(time: invalid duration "-9223372036854775809ns")"},
    {"2562047h47m16.854775808s", R"(time: invalid duration "2562047h47m16.854775808s")"},
    {"4611686018427387904ns4611686018427387904ns",
     R"(time: invalid duration "4611686018427387904ns4611686018427387904ns")"},
    {"3000000h", R"(time: invalid duration "3000000h")"},
    {"18446744073709551616ns", R"(time: invalid duration "18446744073709551616ns")"},
    {"100000000000000000000s", R"(time: invalid duration "100000000000000000000s")"},
    // The one difference: Go adds these two up to 2^64, that is to 0.
    {"9223372036854775808ns9223372036854775808ns",
     R"(time: invalid duration "9223372036854775808ns9223372036854775808ns")"},
};

INSTANTIATE_TEST_SUITE_P(All, GoDurationRefuses, testing::ValuesIn(kRefused));

TEST(GoDuration, ShowsOnlyTheBeginningOfALongText) {
  const auto duration = ParseGoDuration(std::string(1'000'000, 'x'));
  EXPECT_LT(duration.status().message().size(), 200u);
}

TEST(SimpleDuration, IsOneUnsignedNumberWithAUnit) {
  for (std::string_view text :
       {"0ms", "10ms", "1.5h", "1ns", "1us", "1s", "1m", "007.70s", "99999999999999999999h"}) {
    EXPECT_TRUE(IsSimpleDuration(text)) << text;
  }
  for (std::string_view text : {"", "0", "ms", "-1ms", "+1ms", "1.ms", ".1ms", "1h1m", "1 ms", "1ms ", "1MS",
                                "1d", "1\u00b5s", "1..1s", "1.1.1s"}) {
    EXPECT_FALSE(IsSimpleDuration(text)) << text;
  }
}

}  // namespace
}  // namespace sabot::api
