// SPDX-License-Identifier: Apache-2.0
#include "tests/support/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace sabot::test {

Bounds BinomialBounds(int64_t n, double p, double sigmas) {
  double mean = static_cast<double>(n) * p;
  double reach = sigmas * std::sqrt(mean * (1 - p));
  return {std::max<int64_t>(0, static_cast<int64_t>(std::ceil(mean - reach))),
          std::min<int64_t>(n, static_cast<int64_t>(std::floor(mean + reach)))};
}

int64_t Percentile(std::vector<int64_t> samples, double fraction) {
  if (samples.empty()) return 0;
  double rank = std::ceil(fraction * static_cast<double>(samples.size())) - 1;
  auto index = static_cast<size_t>(std::clamp(rank, 0.0, static_cast<double>(samples.size() - 1)));
  std::nth_element(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(index), samples.end());
  return samples[index];
}

}  // namespace sabot::test
