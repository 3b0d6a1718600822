// SPDX-License-Identifier: Apache-2.0
#include "controller/api/near_name.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "absl/strings/ascii.h"

namespace sabot::api {
namespace {

constexpr size_t kMaxName = 40;

// Letters to change, add or remove to make `a` of `b`. Both are at most kMaxName long.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::array<size_t, kMaxName + 1> row{};
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = diagonal + (absl::ascii_tolower(a[i - 1]) != absl::ascii_tolower(b[j - 1]) ? 1 : 0);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row[b.size()];
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
