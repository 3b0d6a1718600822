// SPDX-License-Identifier: Apache-2.0
#include "bpf/lib/bits.h"

#include <gtest/gtest.h>

#include <random>

namespace {

TEST(LowestBit, IsFoundForEachBitAlone) {
  for (uint32_t bit = 0; bit < 64; ++bit) EXPECT_EQ(sabot_lowest_bit(uint64_t{1} << bit), bit);
}

TEST(LowestBit, IgnoresHigherBits) {
  std::mt19937_64 rng(1);
  for (int i = 0; i < 100'000; ++i) {
    const uint64_t bits = rng() << rng() % 64;
    if (bits == 0) continue;
    ASSERT_EQ(sabot_lowest_bit(bits), static_cast<uint32_t>(__builtin_ctzll(bits)));
  }
}

}  // namespace
