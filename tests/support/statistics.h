// SPDX-License-Identifier: Apache-2.0
//
// The little statistics that tests of random faults need.
#ifndef SABOT_TESTS_SUPPORT_STATISTICS_H_
#define SABOT_TESTS_SUPPORT_STATISTICS_H_

#include <cstdint>
#include <vector>

namespace sabot::test {

// The counts that a fair binomial(n, p) stays within, both ends included.
//
// Five standard deviations to each side: a correct fault is called wrong less than once in a million runs
// (normal tail 5.7e-7; the exact binomial tail for n >= 1000 and 0.05 <= p <= 0.95 is below 1e-6). With n =
// 2000, p = 0.3 the bounds are 600 +- 103, so a rate of 24 % or 36 % is noticed nearly always.
struct Bounds {
  int64_t low;
  int64_t high;
  bool Contains(int64_t count) const { return low <= count && count <= high; }
};
Bounds BinomialBounds(int64_t n, double p, double sigmas = 5.0);

// The value that `fraction` (0 to 1) of the samples do not exceed; nearest rank. Zero when there are none.
int64_t Percentile(std::vector<int64_t> samples, double fraction);

}  // namespace sabot::test

#endif  // SABOT_TESTS_SUPPORT_STATISTICS_H_
