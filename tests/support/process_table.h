// SPDX-License-Identifier: Apache-2.0
//
// The machine's processes and who is whose child.
#ifndef SABOT_TESTS_SUPPORT_PROCESS_TABLE_H_
#define SABOT_TESTS_SUPPORT_PROCESS_TABLE_H_

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

namespace sabot::test {

struct ProcessInfo {
  pid_t parent = 0;
  char state = '?';  // as in /proc/PID/stat
  std::string name;
};

std::map<pid_t, ProcessInfo> Processes();

// Those that have this parent and have not ended, whichever of its threads made them.
std::vector<pid_t> ChildrenOf(pid_t parent);

}  // namespace sabot::test

#endif  // SABOT_TESTS_SUPPORT_PROCESS_TABLE_H_
