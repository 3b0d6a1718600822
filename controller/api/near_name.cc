// SPDX-License-Identifier: Apache-2.0
#include "controller/api/near_name.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "absl/strings/ascii.h"

namespace sabot::api {
namespace {

constexpr size_t kMaxName = 40;

// Letters to change, add, remove or swap with the next to make `a` of `b`. Both are at most kMaxName long.
size_t EditDistance(std::string_view a, std::string_view b) {
  using Row = std::array<size_t, kMaxName + 1>;
  const auto same = [&](size_t i, size_t j) {
    return absl::ascii_tolower(a[i]) == absl::ascii_tolower(b[j]);
  };
  Row before_last{};
  Row last{};
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    Row row{};
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same(i - 1, j - 1) ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && same(i - 1, j - 2) && same(i - 2, j - 1);
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last = last;
    last = row;
  }
  return last[b.size()];
}

}  // namespace

std::string_view NearestName(std::string_view text, absl::Span<const std::string_view> names) {
  std::string_view nearest;
  size_t least = kMaxName;
  for (std::string_view name : names) {
    if (text.size() > kMaxName || name.size() > kMaxName) continue;
    const size_t distance = EditDistance(text, name);
    const size_t allowed = std::min(text.size(), name.size()) > 4 ? 2 : 1;
    if (distance > allowed || distance >= least) continue;
    least = distance;
    nearest = name;
  }
  return nearest;
}

}  // namespace sabot::api
