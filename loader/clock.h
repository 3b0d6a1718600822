// SPDX-License-Identifier: Apache-2.0
//
// The two kernel clocks that deadlines are written in. Boot time is what bpf_ktime_get_boot_ns() returns and
// goes on during suspend; monotonic is what fq compares skb->tstamp with (bpf_ktime_get_ns()).
#ifndef SABOT_LOADER_CLOCK_H_
#define SABOT_LOADER_CLOCK_H_

#include <time.h>

#include <cstdint>

namespace sabot::loader {

inline uint64_t ClockNs(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

inline uint64_t BootTimeNs() { return ClockNs(CLOCK_BOOTTIME); }
inline uint64_t MonotonicNs() { return ClockNs(CLOCK_MONOTONIC); }

}  // namespace sabot::loader

#endif  // SABOT_LOADER_CLOCK_H_
