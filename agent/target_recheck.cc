// SPDX-License-Identifier: Apache-2.0
//
// Once a second for every target: only system calls that touch no disk and no other process.
#include <sys/stat.h>

#include <cerrno>

#include "absl/strings/match.h"
#include "agent/file.h"
#include "agent/target.h"

namespace sabot::agent {
namespace {

using sabot::v1::Target;

// The inode of a file; 0 if it is gone, nullopt if that cannot be told.
std::optional<uint64_t> InodeOf(const std::filesystem::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0) return info.st_ino;
  if (errno == ENOENT || errno == ENOTDIR) return 0;
  return std::nullopt;
}

TargetChange RecheckMain(const ResolvedTarget& target) {
  if (!IsAlive(*target.main)) {
    return target.kind == Target::kPid ? TargetChange::kGone : TargetChange::kChanged;
  }
  auto inode = NetnsInodeOf(target.main->pid);
  return inode.ok() && *inode == target.netns->inode() ? TargetChange::kSame : TargetChange::kChanged;
}

TargetChange RecheckNetns(const ResolvedTarget& target) {
  std::optional<uint64_t> inode = InodeOf(target.netns_path);
  if (inode == 0) return TargetChange::kGone;
  return inode == target.netns->inode() ? TargetChange::kSame : TargetChange::kChanged;
}

TargetChange RecheckCgroup(const ResolvedTarget& target) {
  std::optional<uint64_t> inode = InodeOf(target.cgroup->path);
  if (inode == target.cgroup->id) return TargetChange::kSame;
  // A unit or a container whose group is gone may have got another one.
  return inode == 0 && target.kind == Target::kCgroup ? TargetChange::kGone : TargetChange::kChanged;
}

bool HasProcesses(const CgroupRef& cgroup) {
  auto events = ReadFile(cgroup.path / "cgroup.events", 4096);
  return events.ok() && absl::StrContains(*events, "populated 1");
}

}  // namespace

TargetChange Recheck(const ResolvedTarget& target) {
  if (target.kind == Target::kNetns) return RecheckNetns(target);
  if (target.cgroup && target.cgroup_is_target) {
    TargetChange change = RecheckCgroup(target);
    if (change != TargetChange::kSame) return change;
  }
  if (target.main) return RecheckMain(target);
  return target.cgroup && HasProcesses(*target.cgroup) ? TargetChange::kChanged : TargetChange::kSame;
}

}  // namespace sabot::agent
