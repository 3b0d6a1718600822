// SPDX-License-Identifier: Apache-2.0
//
// Whose tasks a fault of system calls hits: from a resolved target to what programs compare.
#ifndef SABOT_AGENT_SYSCALL_SCOPE_H_
#define SABOT_AGENT_SYSCALL_SCOPE_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "agent/target.h"
#include "bpf/abi/syscall.h"

namespace sabot::agent {

struct CallScope {
  sabot_scope kind = SABOT_SCOPE_PROCESS;
  uint64_t id = 0;
  uint32_t levels = 0;  // of a cgroup: its level in the tree as a bit; the first
                        // SABOT_CGROUP_LEVELS if that cannot be known
};

// A process: its threads. A cgroup, unit or container: everything in its group. A container without a group
// that is its own: tasks that were born in its pid namespace and see its mounts.
// FAILED_PRECONDITION if there is nothing that tells its tasks from others.
absl::StatusOr<CallScope> ScopeOf(const ResolvedTarget& target);

// The thread group of this process as the kernel counts; 0 if we do not see the machine's own numbers.
uint32_t OwnThreadGroup();

}  // namespace sabot::agent

#endif  // SABOT_AGENT_SYSCALL_SCOPE_H_
