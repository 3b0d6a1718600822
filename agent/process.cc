// SPDX-License-Identifier: Apache-2.0
#include "agent/process.h"

#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/file.h"
#include "loader/status.h"

namespace sabot::agent {
namespace {

absl::Status NoProcess(pid_t pid) { return absl::NotFoundError(absl::StrCat("no process ", pid)); }

}  // namespace

std::optional<ProcessStat> ParseProcessStat(std::string_view text) {
  size_t open = text.find('('), close = text.rfind(')');
  if (open == text.npos || close == text.npos || close < open) return std::nullopt;
  ProcessStat stat{.command = std::string(text.substr(open + 1, close - open - 1))};
  std::vector<std::string> fields =
      absl::StrSplit(std::string(text.substr(close + 1)), ' ', absl::SkipEmpty());
  // The first of these is field 3.
  if (fields.size() < 20 || !absl::SimpleAtoi(fields[19], &stat.start_time)) return std::nullopt;
  stat.state = fields[0][0];
  return stat;
}

absl::StatusOr<ProcessStat> ReadProcessStat(pid_t pid) {
  auto text = ReadFile(absl::StrCat("/proc/", pid, "/stat"), 65536);
  if (absl::IsNotFound(text.status())) return NoProcess(pid);
  if (!text.ok()) return text.status();
  std::optional<ProcessStat> stat = ParseProcessStat(*text);
  if (!stat) return absl::InternalError(absl::StrCat("/proc/", pid, "/stat is not understood"));
  return *std::move(stat);
}

absl::StatusOr<TargetProcess> OpenProcess(pid_t pid) {
  loader::UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd.valid() && errno == ESRCH) return NoProcess(pid);
  // Threads: EINVAL, since 6.9 ENOENT.
  if (!pidfd.valid() && (errno == EINVAL || errno == ENOENT)) {
    return absl::NotFoundError(absl::StrCat("no process ", pid, ": it is a thread of another process"));
  }
  if (!pidfd.valid()) return ErrnoStatus(errno, absl::StrCat("open process ", pid));
  SABOT_ASSIGN_OR_RETURN(ProcessStat stat, ReadProcessStat(pid));
  if (stat.state == 'Z' || stat.state == 'X') {
    return absl::NotFoundError(absl::StrCat("no process ", pid, " (", stat.command, "): it has ended"));
  }
  TargetProcess process{.pid = pid,
                        .start_time = stat.start_time,
                        .command = std::move(stat.command),
                        .pidfd = std::move(pidfd)};
  // Alive now, so what was read in between was its own.
  if (!IsAlive(process)) return NoProcess(pid);
  return process;
}

bool IsAlive(const TargetProcess& process) {
  pollfd entry{.fd = process.pidfd.get(), .events = POLLIN, .revents = 0};
  return ::poll(&entry, 1, 0) == 0;
}

absl::StatusOr<uint64_t> NetnsInodeOf(pid_t pid) {
  struct stat info {};
  if (::stat(absl::StrCat("/proc/", pid, "/ns/net").c_str(), &info) == 0) return info.st_ino;
  if (errno == ENOENT || errno == ESRCH) return NoProcess(pid);
  return ErrnoStatus(errno, absl::StrCat("look at the network namespace of process ", pid));
}

}  // namespace sabot::agent
