// SPDX-License-Identifier: Apache-2.0
//
// The clock's deed: what is written to the journal before the first vDSO is changed, and how it is undone
// when its owner is gone.
#ifndef SABOT_AGENT_CLOCK_JOURNALLED_H_
#define SABOT_AGENT_CLOCK_JOURNALLED_H_

#include <cstdint>

#include "absl/status/status.h"
#include "agent/clock/shim.h"
#include "sabot/v1/journal.pb.h"

namespace sabot::agent {

sabot::v1::ClockDeed ClockDeedOf(const Shim& shim, uint64_t owner);

// Looks through all processes of the machine for the owner's shim and takes it out. A process that cannot be
// restored is named, and the rest is done nevertheless.
absl::Status UndoClock(const sabot::v1::ClockDeed& deed);

}  // namespace sabot::agent

#endif  // SABOT_AGENT_CLOCK_JOURNALLED_H_
