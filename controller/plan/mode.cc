// SPDX-License-Identifier: Apache-2.0
#include "controller/plan/mode.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "controller/api/go_number.h"
#include "controller/api/str_cat.h"

namespace sabot::plan {
namespace {

using api::Mode;

// `number` different ones of 0 .. `count` - 1, ascending.
std::vector<size_t> Sample(size_t count, size_t number, absl::BitGenRef rng) {
  std::vector<size_t> all(count);
  std::iota(all.begin(), all.end(), size_t{0});
  if (number >= count) return all;
  for (size_t i = 0; i < number; ++i) std::swap(all[i], all[i + UniformBelow(count - i, rng)]);
  all.resize(number);
  std::sort(all.begin(), all.end());
  return all;
}

size_t CeilPercent(size_t count, uint64_t percent) {
  return static_cast<size_t>((static_cast<uint64_t>(count) * percent + 99) / 100);
}

absl::Status BelowOrEqualZero() {
  return absl::InvalidArgumentError("cannot select any object as value below or equal 0");
}

absl::StatusOr<std::vector<size_t>> ChooseFixed(int64_t value, size_t count, absl::BitGenRef rng) {
  if (value <= 0) return BelowOrEqualZero();
  return Sample(count, static_cast<size_t>(std::min<uint64_t>(static_cast<uint64_t>(value), count)), rng);
}

absl::StatusOr<std::vector<size_t>> ChoosePercent(int64_t value, bool up_to, size_t count,
                                                  absl::BitGenRef rng) {
  if (value == 0) return BelowOrEqualZero();
  if (value < 0 || value > 100) {
    return absl::InvalidArgumentError(api::StrCat("fixed percentage value of ", value,
                                                  " is invalid, Must be ", up_to ? "[0-100]" : "(0,100]"));
  }
  const auto maximum = static_cast<uint64_t>(value);
  const uint64_t percent = up_to ? UniformBelow(maximum + 1, rng) : maximum;
  return Sample(count, CeilPercent(count, percent), rng);
}

}  // namespace

uint64_t UniformBelow(uint64_t bound, absl::BitGenRef rng) {
  // The numbers at the top that do not fill a whole round of `bound` are thrown away.
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  const uint64_t limit = kMax - (kMax % bound + 1) % bound;
  uint64_t bits = rng();
  while (bits > limit) bits = rng();
  return bits % bound;
}

absl::StatusOr<std::vector<size_t>> ChooseByMode(Mode mode, const std::string& value, size_t count,
                                                 absl::BitGenRef rng) {
  if (count == 0) return absl::InvalidArgumentError("cannot generate objects from empty list");
  if (mode == Mode::kOne) return Sample(count, 1, rng);
  if (mode == Mode::kAll) return Sample(count, count, rng);
  const absl::StatusOr<int64_t> number = api::ParseGoInt(value);
  if (!number.ok()) return number.status();
  if (mode == Mode::kFixed) return ChooseFixed(*number, count, rng);
  return ChoosePercent(*number, mode == Mode::kRandomMaxPercent, count, rng);
}

}  // namespace sabot::plan
