// SPDX-License-Identifier: Apache-2.0
#ifndef SABOT_AGENT_CLOCK_PROCESS_LIST_H_
#define SABOT_AGENT_CLOCK_PROCESS_LIST_H_

#include <sys/types.h>

#include <set>
#include <vector>

namespace sabot::agent {

// The processes that /proc shows, ascending.
std::vector<pid_t> AllProcesses();

// `root` and everything that descends from it; those whose parent died are somebody else's by then. Empty if
// `root` is gone.
std::set<pid_t> TreeOf(pid_t root);

}  // namespace sabot::agent

#endif  // SABOT_AGENT_CLOCK_PROCESS_LIST_H_
