// SPDX-License-Identifier: Apache-2.0
#include "agent/syscall/scope.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "loader/status.h"

namespace sabot::agent {
namespace {

// The machine's own namespaces have fixed numbers (include/linux/proc_ns.h).
constexpr uint64_t kFirstPidNamespace = 0xEFFFFFFC;
// All that programs can look at, where we cannot see how deep the group is.
constexpr uint32_t kFirstLevels = ((1u << SABOT_CGROUP_LEVELS) - 1) << 1;
constexpr uint64_t kFirstCgroupNamespace = 0xEFFFFFFB;

absl::StatusOr<uint64_t> InodeOf(const std::string& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) return ErrnoStatus(errno, absl::StrCat("look at ", path));
  return status.st_ino;
}

bool IsFirst(const char* namespace_name, uint64_t inode) {
  const auto own = InodeOf(absl::StrCat("/proc/self/ns/", namespace_name));
  return own.ok() && *own == inode;
}

absl::StatusOr<CallScope> OfCgroup(const CgroupRef& cgroup) {
  CallScope scope = {.kind = SABOT_SCOPE_CGROUP, .id = cgroup.id, .levels = kFirstLevels};
  if (!IsFirst("cgroup", kFirstCgroupNamespace)) return scope;
  SABOT_ASSIGN_OR_RETURN(const CgroupMounts mounts, CgroupMounts::Find());
  const auto below = cgroup.path.lexically_relative(mounts.unified());
  const auto level = std::distance(below.begin(), below.end());
  if (level >= 1 && level < 32) scope.levels = 1u << level;
  return scope;
}

absl::StatusOr<CallScope> OfContainer(const ResolvedTarget& target) {
  const std::string own = absl::StrCat("/proc/", target.main->pid, "/ns/");
  SABOT_ASSIGN_OR_RETURN(const uint64_t mounts, InodeOf(own + "mnt"));
  SABOT_ASSIGN_OR_RETURN(const uint64_t pids, InodeOf(own + "pid"));
  SABOT_ASSIGN_OR_RETURN(const uint64_t machine, InodeOf("/proc/1/ns/mnt"));
  if (mounts == machine) {
    return absl::FailedPreconditionError(
        absl::StrCat(target.description,
                     " has neither a cgroup v2 nor a mount namespace of its own to know its tasks by"));
  }
  return CallScope{.kind = SABOT_SCOPE_CONTAINER, .id = mounts << 32 | pids, .levels = 0};
}

}  // namespace

absl::StatusOr<CallScope> ScopeOf(const ResolvedTarget& target) {
  if (target.cgroup && target.cgroup_is_target) return OfCgroup(*target.cgroup);
  if (target.kind == sabot::v1::Target::kContainer && target.main) return OfContainer(target);
  if (target.kind != sabot::v1::Target::kPid) {
    return absl::FailedPreconditionError(
        absl::StrCat(target.description,
                     " is no set of processes that the kernel could tell from others; name "
                     "the process, its cgroup or the container"));
  }
  if (!IsFirst("pid", kFirstPidNamespace)) {
    return absl::FailedPreconditionError(
        absl::StrCat(target.description, ": we do not see the machine's own process numbers (hostPID)"));
  }
  return CallScope{.kind = SABOT_SCOPE_PROCESS, .id = static_cast<uint64_t>(target.main->pid), .levels = 0};
}

uint32_t OwnThreadGroup() {
  return IsFirst("pid", kFirstPidNamespace) ? static_cast<uint32_t>(::getpid()) : 0;
}

}  // namespace sabot::agent
