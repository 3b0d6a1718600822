// SPDX-License-Identifier: Apache-2.0
#include "tests/support/process_table.h"

#include <cstdlib>
#include <filesystem>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "tests/support/temp_dir.h"

namespace sabot::test {

std::map<pid_t, ProcessInfo> Processes() {
  std::map<pid_t, ProcessInfo> processes;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    int pid = 0;
    if (!absl::SimpleAtoi(entry.path().filename().string(), &pid)) continue;
    std::string stat = ReadFile(entry.path() / "stat");
    size_t open = stat.find('('), close = stat.rfind(')');
    if (open == std::string::npos || close == std::string::npos) continue;
    std::vector<std::string> rest = absl::StrSplit(stat.substr(close + 2), ' ');
    processes[pid] = {std::atoi(rest[1].c_str()), rest[0][0], stat.substr(open + 1, close - open - 1)};
  }
  return processes;
}

std::vector<pid_t> ChildrenOf(pid_t parent) {
  std::vector<pid_t> children;
  for (const auto& [pid, process] : Processes()) {
    if (process.parent == parent && process.state != 'Z') children.push_back(pid);
  }
  return children;
}

}  // namespace sabot::test
