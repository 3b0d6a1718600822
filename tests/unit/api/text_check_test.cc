// SPDX-License-Identifier: Apache-2.0
#include "controller/api/text_check.h"

#include <string>

#include "gtest/gtest.h"

namespace sabot::api {
namespace {

TEST(TextCheck, TakesUtf8WithTabsAndLineEnds) {
  for (std::string_view text : {"", "a: b\r\n\tc", "\u00e4\u20ac\U0001F600", "\uFEFFa: b", "\u007e"}) {
    EXPECT_FALSE(FindNonText(text).has_value()) << text;
  }
}

TEST(TextCheck, FindsTheFirstByteThatIsNoText) {
  const struct {
    std::string text;
    Position at;
    std::string_view message;
  } kCases[] = {
      {std::string("a\0b", 3), {1, 2}, "not a text file: control byte 0x00"},
      {"ab\ncd\x1b", {2, 3}, "not a text file: control byte 0x1b"},
      {"a\x7f", {1, 2}, "not a text file: control byte 0x7f"},
      {"\xff\xfe", {1, 1}, "not a text file: byte 0xff is no UTF-8"},
      {"\n\n\x80", {3, 1}, "not a text file: byte 0x80 is no UTF-8"},
      {"\xc3", {1, 1}, "not a text file: byte 0xc3 is no UTF-8"},              // cut off
      {"\xc0\xaf", {1, 1}, "not a text file: byte 0xc0 is no UTF-8"},          // longer than needed
      {"\xe0\x80\xaf", {1, 1}, "not a text file: byte 0xe0 is no UTF-8"},      // the same
      {"\xed\xa0\x80", {1, 1}, "not a text file: byte 0xed is no UTF-8"},      // half a surrogate pair
      {"\xf4\x90\x80\x80", {1, 1}, "not a text file: byte 0xf4 is no UTF-8"},  // beyond Unicode
  };
  for (const auto& one : kCases) {
    const auto found = FindNonText(one.text);
    ASSERT_TRUE(found.has_value()) << one.message;
    EXPECT_EQ(found->message, one.message);
    EXPECT_EQ(found->at.line, one.at.line) << one.message;
    EXPECT_EQ(found->at.column, one.at.column) << one.message;
  }
}

}  // namespace
}  // namespace sabot::api
