// SPDX-License-Identifier: Apache-2.0
#include "bpf/lib/compare.h"

#include <gtest/gtest.h>

#include <random>

#include "bpf/abi/syscall.h"

namespace {

uint32_t Plainly(uint64_t a, uint64_t b) {
  if (a == b) return SABOT_IS_EQUAL;
  return a < b ? SABOT_IS_LESS : SABOT_IS_GREATER;
}

TEST(Compare, IsRightAtTheEdges) {
  const uint64_t edges[] = {0,
                            1,
                            2,
                            0x7fffffff,
                            0x80000000,
                            0xffffffff,
                            uint64_t{1} << 32,
                            INT64_MAX,
                            uint64_t{1} << 63,
                            (uint64_t{1} << 63) + 1,
                            UINT64_MAX};
  for (const uint64_t a : edges) {
    for (const uint64_t b : edges) EXPECT_EQ(sabot_compare(a, b), Plainly(a, b)) << a << " " << b;
  }
}

TEST(Compare, IsRightAnywhere) {
  std::mt19937_64 rng(1);
  for (int i = 0; i < 100'000; ++i) {
    const uint64_t a = rng() >> rng() % 64, b = rng() >> rng() % 64;
    ASSERT_EQ(sabot_compare(a, b), Plainly(a, b)) << a << " " << b;
  }
}

}  // namespace
