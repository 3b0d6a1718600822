// SPDX-License-Identifier: Apache-2.0
//
// Clocks in nanoseconds, as the kernel side counts them.
#ifndef SABOT_AGENT_PACER_CLOCK_H_
#define SABOT_AGENT_PACER_CLOCK_H_

#include <time.h>

#include <cstdint>

namespace sabot::pacer {

inline constexpr uint64_t kMicrosecond = 1000;
inline constexpr uint64_t kMillisecond = 1000 * kMicrosecond;
inline constexpr uint64_t kSecond = 1000 * kMillisecond;

inline uint64_t NowNs(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * kSecond + now.tv_nsec;
}

}  // namespace sabot::pacer

#endif  // SABOT_AGENT_PACER_CLOCK_H_
