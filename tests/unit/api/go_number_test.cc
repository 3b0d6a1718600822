// SPDX-License-Identifier: Apache-2.0
//
// The values and texts are those of Go's strconv.
#include "controller/api/go_number.h"

#include <cmath>
#include <string>

#include "gtest/gtest.h"

namespace sabot::api {
namespace {

TEST(GoFloat, AcceptsWhatGoAccepts) {
  const struct {
    std::string_view text;
    double value;
  } kCases[] = {
      {"0", 0},
      {"1", 1},
      {"-1", -1},
      {"+1", 1},
      {"1.5", 1.5},
      {".5", 0.5},
      {"5.", 5},
      {"101", 101},
      {"1e3", 1000},
      {"1E+3", 1000},
      {"25e-1", 2.5},
      {"1_000", 1000},
      {"1e1_0", 1e10},
      {"0_1", 1},
      {"0x1p-2", 0.25},
      {"0X1P+3", 8},
      {"0x.8p1", 1},
      {"0x_1p-2", 0.25},
      {"0x1_fp0", 31},
      {"1e-400", 0},
      {"-1e-400", 0},
      {"1e-99999999", 0},
      {"inf", INFINITY},
      {"-Inf", -INFINITY},
      {"+infinity", INFINITY},
      {"INFINITY", INFINITY},
      // The largest that rounds to a 32-bit float; the next one is refused below.
      {"3.4028235e38", 3.4028235e38},
  };
  for (const auto& one : kCases) {
    const auto number = ParseGoFloat32(one.text);
    ASSERT_TRUE(number.ok()) << one.text << ": " << number.status();
    EXPECT_EQ(*number, one.value) << one.text;
  }
  EXPECT_TRUE(std::isnan(*ParseGoFloat32("NaN")));
  EXPECT_TRUE(std::isnan(*ParseGoFloat32("nan")));
}

TEST(GoFloat, RefusesWhatGoRefuses) {
  for (std::string_view text :
       {"",     " 1",   "1 ",      "1,5", "50%", ".",     "e5",     "1e",   "1e+",    "+",    "-",    "--1",
        "-nan", "+nan", "infinit", "0x1", "0x",  "0x1.8", "1p3",    "_1",   "1_",     "1__0", "1_.5", "1._5",
        "1e_1", "0b1",  "1.2.3",   "abc", "ten", "1f",    "0x1pp1", "1ee1", "\u0663", "0x1p"}) {
    const auto number = ParseGoFloat32(text);
    ASSERT_FALSE(number.ok()) << text;
    EXPECT_EQ(std::string(number.status().message()).substr(0, 28), "strconv.ParseFloat: parsing ") << text;
    EXPECT_TRUE(std::string(number.status().message()).ends_with(": invalid syntax")) << number.status();
  }
  EXPECT_EQ(ParseGoFloat32("x").status().message(), R"(strconv.ParseFloat: parsing "x": invalid syntax)");
}

TEST(GoFloat, RefusesWhatExceeds32Bits) {
  for (std::string_view text :
       {"1e39", "-1e39", "3.4028236e38", "1e400", "1e99999999999", "0x1p99999", "-0x1p128"}) {
    const auto number = ParseGoFloat32(text);
    ASSERT_FALSE(number.ok()) << text;
    EXPECT_TRUE(std::string(number.status().message()).ends_with(": value out of range")) << number.status();
  }
}

TEST(GoInt, ReadsDecimalNumbersOf64Bits) {
  const struct {
    std::string_view text;
    int64_t value;
  } kCases[] = {{"0", 0},
                {"1", 1},
                {"-1", -1},
                {"+1", 1},
                {"007", 7},
                {"9223372036854775807", INT64_MAX},
                {"-9223372036854775808", INT64_MIN}};
  for (const auto& one : kCases) EXPECT_EQ(*ParseGoInt(one.text), one.value) << one.text;
}

TEST(GoInt, RefusesTheRest) {
  for (std::string_view text :
       {"", "-", "+", "+-1", "-+1", "1_000", "0x10", " 1", "1 ", "1.0", "1e3", "ten"}) {
    const auto number = ParseGoInt(text);
    ASSERT_FALSE(number.ok()) << text;
    EXPECT_TRUE(std::string(number.status().message()).ends_with(": invalid syntax")) << text;
  }
  EXPECT_EQ(ParseGoInt("9223372036854775808").status().message(),
            R"(strconv.Atoi: parsing "9223372036854775808": value out of range)");
  EXPECT_EQ(ParseGoInt("-9223372036854775809").status().message(),
            R"(strconv.Atoi: parsing "-9223372036854775809": value out of range)");
}

}  // namespace
}  // namespace sabot::api
