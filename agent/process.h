// SPDX-License-Identifier: Apache-2.0
//
// Processes by descriptor, so that an id that was given out again is never mistaken.
#ifndef SABOT_AGENT_PROCESS_H_
#define SABOT_AGENT_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "loader/fd.h"

namespace sabot::agent {

// The kernel's PID_MAX_LIMIT on 64 bit.
inline constexpr pid_t kMaxPid = 4'194'304;

// A process that cannot be mistaken for a later one with the same id.
struct TargetProcess {
  pid_t pid = 0;
  uint64_t start_time = 0;  // field 22 of /proc/PID/stat, in clock ticks since boot
  std::string command;      // /proc/PID/comm, for messages
  loader::UniqueFd pidfd;
};

// NOT_FOUND if there is no such process, or only its zombie; also for the id of a thread.
absl::StatusOr<TargetProcess> OpenProcess(pid_t pid);

// One system call.
bool IsAlive(const TargetProcess& process);

// What /proc/PID/stat says.
struct ProcessStat {
  std::string command;
  char state = '?';
  uint64_t start_time = 0;
};
// nullopt if `text` is not such a file. The command may hold any characters. Pure.
std::optional<ProcessStat> ParseProcessStat(std::string_view text);
// NOT_FOUND if there is no such process.
absl::StatusOr<ProcessStat> ReadProcessStat(pid_t pid);

// The inode of the network namespace of a process; NOT_FOUND if it is gone (or a zombie, which has none).
absl::StatusOr<uint64_t> NetnsInodeOf(pid_t pid);

}  // namespace sabot::agent

#endif  // SABOT_AGENT_PROCESS_H_
