// SPDX-License-Identifier: Apache-2.0
//
// Time for tests: one clock for everything that is measured, and one factor for machines that emulate their
// CPU.
#ifndef SABOT_TESTS_SUPPORT_CLOCK_H_
#define SABOT_TESTS_SUPPORT_CLOCK_H_

#include <cstdint>

#include "absl/time/time.h"

namespace sabot::test {

// CLOCK_MONOTONIC in nanoseconds. Send and receive times of probes are of this clock, so a one-way delay is a
// difference.
int64_t NowNs();

// Sleeps until NowNs() >= `when_ns`.
void SleepUntilNs(int64_t when_ns);

// Puts the calling thread before all ordinary ones, where that is allowed, so that a busy machine does not
// look like a slow network. For threads that sleep most of the time.
void BecomeUrgent();

// The environment's SABOT_TIME_SCALE, at least 1; 1 when unset. An emulated CPU is 10 to 20 times slower:
// timing tolerances are multiplied by this and packet rates divided. What the product promises in seconds
// (leases, durations) is never scaled, only the tolerance around it.
double TimeScale();

// `tolerance` on the machine at hand.
absl::Duration Scaled(absl::Duration tolerance);

}  // namespace sabot::test

#endif  // SABOT_TESTS_SUPPORT_CLOCK_H_
