// SPDX-License-Identifier: Apache-2.0
#include "agent/pacer/arguments.h"

#include <gtest/gtest.h>

namespace sabot::pacer {
namespace {

const Arguments kSome = {
    .tap_fd = 4, .heartbeat_fd = 5, .heartbeat_index = 6, .max_bytes = uint64_t{1} << 33, .max_hold_ms = 8};

absl::StatusOr<Arguments> Parse(const std::vector<std::string>& words) {
  std::vector<const char*> pointers;
  for (const std::string& word : words) pointers.push_back(word.c_str());
  return ParseArguments(pointers);
}

TEST(Arguments, AreReadAsWritten) {
  absl::StatusOr<Arguments> read = Parse(FormatArguments(kSome));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->tap_fd, 4);
  EXPECT_EQ(read->heartbeat_fd, 5);
  EXPECT_EQ(read->heartbeat_index, 6u);
  EXPECT_EQ(read->max_bytes, uint64_t{1} << 33);
  EXPECT_EQ(read->max_hold_ms, 8u);
}

TEST(Arguments, MustBeAllThereAndNoMore) {
  std::vector<std::string> words = FormatArguments(kSome);
  for (size_t i = 0; i < words.size(); ++i) {
    std::vector<std::string> fewer = words;
    fewer.erase(fewer.begin() + i);
    EXPECT_FALSE(Parse(fewer).ok()) << words[i];
  }
  words.push_back("--colour=red");
  EXPECT_EQ(Parse(words).status().message(), "unexpected: --colour=red");
}

TEST(Arguments, MustBeNumbersInRange) {
  for (const char* bad : {"--tap-fd=", "--tap-fd=x", "--tap-fd=-1", "--tap-fd=4294967296", "--tap-fd"}) {
    std::vector<std::string> words = FormatArguments(kSome);
    words[0] = bad;
    EXPECT_FALSE(Parse(words).ok()) << bad;
  }
}

}  // namespace
}  // namespace sabot::pacer
