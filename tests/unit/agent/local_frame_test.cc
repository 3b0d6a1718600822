// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "agent/local_socket.h"

namespace sabot::agent {
namespace {

TEST(FrameParser, GivesBackWhatWasFramed) {
  FrameParser parser;
  parser.Feed(MakeFrame("one") + MakeFrame("") + MakeFrame("three"));
  EXPECT_EQ(parser.Next().value(), "one");
  EXPECT_EQ(parser.Next().value(), "");
  EXPECT_EQ(parser.Next().value(), "three");
  EXPECT_EQ(parser.Next().value(), std::nullopt);
  EXPECT_EQ(parser.buffered(), 0u);
}

TEST(FrameParser, TakesTheStreamByteByByte) {
  FrameParser parser;
  const std::string frame = MakeFrame("a wooden shoe");
  for (size_t i = 0; i + 1 < frame.size(); ++i) {
    parser.Feed(frame.substr(i, 1));
    EXPECT_EQ(parser.Next().value(), std::nullopt);
  }
  parser.Feed(frame.substr(frame.size() - 1));
  EXPECT_EQ(parser.Next().value(), "a wooden shoe");
}

TEST(FrameParser, TakesTheLargestFrameAndNoLarger) {
  FrameParser parser;
  parser.Feed(MakeFrame(std::string(kMaxLocalFrame, 'x')));
  EXPECT_EQ(parser.Next().value()->size(), kMaxLocalFrame);
  parser.Feed(MakeFrame(std::string(kMaxLocalFrame + 1, 'x')));
  EXPECT_EQ(parser.Next().status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(FrameParser, StaysBrokenAndKeepsNothing) {
  FrameParser parser;
  parser.Feed("\xff\xff\xff\xff");
  EXPECT_FALSE(parser.Next().ok());
  parser.Feed(MakeFrame("fine"));
  EXPECT_FALSE(parser.Next().ok());
  EXPECT_EQ(parser.buffered(), 0u);
}

TEST(FrameParser, PromisesCostNothing) {
  FrameParser parser;
  parser.Feed(MakeFrame(std::string(kMaxLocalFrame, 'x')).substr(0, 100));
  EXPECT_EQ(parser.Next().value(), std::nullopt);
  EXPECT_EQ(parser.buffered(), 100u);
}

TEST(FrameParser, ForgetsWhatItGaveOut) {
  FrameParser parser;
  for (int i = 0; i < 100'000; ++i) {
    parser.Feed(MakeFrame(std::string(100, 'x')) + MakeFrame("y").substr(0, 3));
    ASSERT_TRUE(parser.Next().value());
    parser.Feed(MakeFrame("y").substr(3));
    ASSERT_TRUE(parser.Next().value());
  }
  EXPECT_EQ(parser.buffered(), 0u);
}

}  // namespace
}  // namespace sabot::agent
