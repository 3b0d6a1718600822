// SPDX-License-Identifier: Apache-2.0
#include "tests/support/clock.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace sabot::test {

int64_t NowNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void SleepUntilNs(int64_t when_ns) {
  timespec when{.tv_sec = when_ns / 1'000'000'000, .tv_nsec = when_ns % 1'000'000'000};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, nullptr) == EINTR) {
  }
}

void BecomeUrgent() {
  sched_param parameters{};
  parameters.sched_priority = 10;
  pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters);
}

double TimeScale() {
  static const double scale = [] {
    const char* text = std::getenv("SABOT_TIME_SCALE");
    return std::max(1.0, text == nullptr ? 1.0 : std::atof(text));
  }();
  return scale;
}

absl::Duration Scaled(absl::Duration tolerance) { return tolerance * TimeScale(); }

}  // namespace sabot::test
