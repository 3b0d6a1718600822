// SPDX-License-Identifier: Apache-2.0
//
// What several faults together add to the clocks of a process, as the shim's table. Pure.
#ifndef SABOT_AGENT_CLOCK_SKEW_H_
#define SABOT_AGENT_CLOCK_SKEW_H_

#include <array>
#include <cstdint>
#include <span>

#include "absl/status/statusor.h"
#include "agent/clock/patched_process.h"

namespace sabot::agent {

// One fault's part.
struct Skew {
  uint32_t clocks = 0;  // bit N: clock N
  int64_t offset_ns = 0;
  int32_t rate_ppb = 0;
  uint64_t begin_ns = 0;         // CLOCK_BOOTTIME, from where the rate counts
  uint64_t end_ns = UINT64_MAX;  // CLOCK_BOOTTIME
};

// What all clocks say at one moment, in nanoseconds, by their numbers; the two of processor time are those of
// CLOCK_MONOTONIC.
using ClockReadings = std::array<int64_t, kClockCount>;
ClockReadings ReadClocks();

// The sum of `skews`, until the earlier of `lease_ns` (CLOCK_BOOTTIME) and the last end among them. `target`
// is what the clocks say for the target, as ReadClocks() does for us: in a time namespace they differ.
// FAILED_PRECONDITION if the shim has no room for so many different sums, or a clock would run backwards.
absl::StatusOr<ShimSetting> SumOf(std::span<const Skew> skews, const ClockReadings& target,
                                  uint64_t boottime_ns, uint64_t lease_ns);

}  // namespace sabot::agent

#endif  // SABOT_AGENT_CLOCK_SKEW_H_
