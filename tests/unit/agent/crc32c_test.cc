// SPDX-License-Identifier: Apache-2.0
#include "agent/crc32c.h"

#include <gtest/gtest.h>

#include <string>

namespace sabot::agent {
namespace {

// The vectors of RFC 3720, appendix B.4.
TEST(Crc32c, AgreesWithTheStandard) {
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  std::string rising, falling;
  for (int i = 0; i < 32; ++i) rising.push_back(static_cast<char>(i));
  for (int i = 31; i >= 0; --i) falling.push_back(static_cast<char>(i));
  EXPECT_EQ(Crc32c(rising), 0x46dd794eu);
  EXPECT_EQ(Crc32c(falling), 0x113fdb5cu);
}

TEST(Crc32c, AgreesWithTheUsualCheckString) { EXPECT_EQ(Crc32c("123456789"), 0xe3069283u); }

TEST(Crc32c, OfNothingIsZero) { EXPECT_EQ(Crc32c(""), 0u); }

TEST(Crc32c, SeesEachBit) {
  const std::string bytes = "a wooden shoe";
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string other = bytes;
    other[bit / 8] = static_cast<char>(other[bit / 8] ^ (1 << bit % 8));
    EXPECT_NE(Crc32c(other), Crc32c(bytes)) << "bit " << bit;
  }
}

}  // namespace
}  // namespace sabot::agent
