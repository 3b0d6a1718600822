// SPDX-License-Identifier: Apache-2.0
#include "agent/clock/skew.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "loader/clock.h"
#include "loader/status.h"

namespace sabot::agent {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

// 128 bits, so that no sum of faults can overflow on its way.
using Wide = __int128;

struct Total {
  Wide offset = 0;  // at the end
  int64_t rate = 0;
  bool any = false;
};

Total TotalOf(std::span<const Skew> skews, int clock, uint64_t end_ns) {
  Total total;
  for (const Skew& skew : skews) {
    if ((skew.clocks >> clock & 1) == 0) continue;
    const Wide passed = static_cast<Wide>(end_ns) - static_cast<Wide>(skew.begin_ns);
    total.any = true;
    total.rate += skew.rate_ppb;
    total.offset += skew.offset_ns + passed * skew.rate_ppb / kSecond;
  }
  return total;
}

int64_t FloorDivide(Wide value, int64_t by) {
  return static_cast<int64_t>(value / by - (value % by < 0 ? 1 : 0));
}

absl::StatusOr<int> IndexOf(const ShimClock& sum, ShimTable& table, int& used) {
  for (int i = 0; i < used; ++i) {
    if (table.sums[i] == sum) return i;
  }
  if (used == kShimSums) {
    return absl::FailedPreconditionError(absl::StrCat("more than ", kShimSums,
                                                      " different skews are asked for in one process, and a "
                                                      "vDSO has no room for more"));
  }
  table.sums[used] = sum;
  return used++;
}

}  // namespace

ClockReadings ReadClocks() {
  constexpr clockid_t kBases[kClockCount] = {
      CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW,
      CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME,  CLOCK_REALTIME,  CLOCK_BOOTTIME};
  int64_t now[8] = {};
  for (const clockid_t base : {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME}) {
    now[base] = static_cast<int64_t>(loader::ClockNs(base));
  }
  ClockReadings readings;
  for (int clock = 0; clock < kClockCount; ++clock) readings[static_cast<size_t>(clock)] = now[kBases[clock]];
  return readings;
}

absl::StatusOr<ShimSetting> SumOf(std::span<const Skew> skews, const ClockReadings& target,
                                  uint64_t boottime_ns, uint64_t lease_ns) {
  uint64_t last = 0;
  for (const Skew& skew : skews) last = std::max(last, skew.end_ns);
  const uint64_t end_ns = std::min(last, lease_ns);
  ShimSetting setting;
  int used = 0;
  for (int clock = 0; clock < kClockCount; ++clock) {
    const Total total = TotalOf(skews, clock, end_ns);
    if (!total.any) continue;
    if (total.rate < -kSecond || total.rate > INT32_MAX) {
      return absl::FailedPreconditionError("the rates add up to a clock that runs backwards, or too fast");
    }
    const int64_t end = target[static_cast<size_t>(clock)] + static_cast<int64_t>(end_ns - boottime_ns);
    const int64_t seconds = FloorDivide(total.offset, kSecond);
    const ShimClock sum = {.end_sec = end / kSecond,
                           .offset_sec = seconds,
                           .end_nsec = static_cast<uint32_t>(end % kSecond),
                           .offset_nsec = static_cast<uint32_t>(total.offset - Wide{seconds} * kSecond),
                           .rate_ppb = static_cast<int32_t>(total.rate)};
    SABOT_ASSIGN_OR_RETURN(const int index, IndexOf(sum, setting.table, used));
    setting.table.index[clock] = static_cast<uint8_t>(index);
    setting.mask |= 1U << clock;
  }
  return setting;
}

}  // namespace sabot::agent
