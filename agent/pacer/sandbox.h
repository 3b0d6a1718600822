// SPDX-License-Identifier: Apache-2.0
//
// What the pacer gives up once it has all it needs: it only ever reads and writes descriptors that it holds.
#ifndef SABOT_AGENT_PACER_SANDBOX_H_
#define SABOT_AGENT_PACER_SANDBOX_H_

#include "absl/status/status.h"

namespace sabot::pacer {

// For the calling process, which must have one thread: no new privileges, no capabilities, no core dumps or
// ptrace by others, and a seccomp filter that allows the system calls of the pacer's loop and kills the
// process at any other.
// `keep_scheduling`: except that it may go on changing its own scheduling (keeps CAP_SYS_NICE).
absl::Status EnterSandbox(bool keep_scheduling);

}  // namespace sabot::pacer

#endif  // SABOT_AGENT_PACER_SANDBOX_H_
