// SPDX-License-Identifier: Apache-2.0
#include "agent/pacer/urgency.h"

#include <sched.h>

namespace sabot::pacer {
namespace {

bool Schedule(bool urgent) {
  // The lowest of the real-time priorities: before all ordinary work, behind all other real-time work.
  sched_param parameter = {.sched_priority = urgent ? 1 : 0};
  return sched_setscheduler(0, urgent ? SCHED_RR : SCHED_OTHER, &parameter) == 0;
}

}  // namespace

Urgency Urgency::Create() { return Urgency(Schedule(true)); }

void Urgency::Switch() {
  urgent_ = budget_.urgent();
  // Becoming ordinary is always allowed. A kernel that no longer allows the other is not asked again.
  if (!Schedule(urgent_)) allowed_ = false;
}

}  // namespace sabot::pacer
