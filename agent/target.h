// SPDX-License-Identifier: Apache-2.0
//
// From a target's name to kernel objects, and whether these are still the same ones.
#ifndef SABOT_AGENT_TARGET_H_
#define SABOT_AGENT_TARGET_H_

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/cgroup.h"
#include "agent/cri.h"
#include "agent/process.h"
#include "loader/netns.h"
#include "sabot/v1/fault.pb.h"

namespace sabot::agent {

// What a target was when it was resolved. Immutable afterwards, so it may be shared between threads.
// Holds up to two descriptors (pidfd, namespace): mind RLIMIT_NOFILE with many targets.
struct ResolvedTarget {
  // What it was named as.
  sabot::v1::Target::KindCase kind = sabot::v1::Target::KIND_NOT_SET;
  // The network namespace of the target's processes. Null only for a control group without processes.
  std::shared_ptr<const loader::Netns> netns;
  // For `cgroup`, `unit` and `container` the target's own group. For `pid` the group that the process is in,
  // which may hold others too (see ExclusiveTo). Never the root group. Absent for `netns`, and where cgroup
  // v2 is not mounted or not used.
  std::optional<CgroupRef> cgroup;
  // The group is the target, not just around it: everything in it is meant.
  bool cgroup_is_target = false;
  // The process itself; the container's first process; the oldest process of a group or unit. Absent for
  // `netns` and for a group without processes.
  std::optional<TargetProcess> main;
  // All processes of the target at the time, `main` included, ascending. Empty for `netns`.
  std::vector<pid_t> pids;
  // The namespace is the machine's own, that of pid 1.
  bool host_network = false;
  // For messages: "process 4242 (nginx)", "unit foo.service", "container 0123456789ab (default/web-0/nginx)".
  std::string description;

  // How to see whether it is the same: the file of a named namespace, and for a container what its successor
  // would be known by. Not for others than Recheck and Resolve.
  std::filesystem::path netns_path;
  std::optional<ContainerInfo> container;
};

using ResolvedTargetPtr = std::shared_ptr<const ResolvedTarget>;

// Both are the same kernel objects to a rule: network namespace and control group are equal.
bool SameScope(const ResolvedTarget& a, const ResolvedTarget& b);

// Finds containers; CriLookup makes one, and tests do. Without its functions every container is UNAVAILABLE.
struct ContainerLookup {
  // NOT_FOUND if the runtime does not know it, UNAVAILABLE if there is no runtime.
  std::function<absl::StatusOr<ContainerInfo>(std::string_view id)> status;
  // The running container that took the place of this one (same pod, same name). NOT_FOUND if there is none.
  std::function<absl::StatusOr<ContainerInfo>(const ContainerInfo& ended)> successor;
};

// Asks the runtime behind the first of `sockets` that answers (empty: the usual places), anew after it
// failed. The result may be called from several threads.
ContainerLookup CriLookup(std::vector<std::string> sockets = {});

// Resolves a target. Blocks on files in /proc and /sys, and on the container runtime (up to 2 s a call).
//
// `previous`, if given, is what the same target was before: a container that has ended is then followed to
// its successor even after the runtime forgot it, and a unit without processes counts as being restarted.
//
//  INVALID_ARGUMENT     the target has no kind, or its value cannot be the name of such a thing
//  NOT_FOUND            it does not exist, or is over: "no process 4242"
//  UNAVAILABLE          it has no processes now and may come back (container restarting, unit stopped), or
//  the
//                       runtime does not answer: try again
//  FAILED_PRECONDITION  its processes live in different network namespaces (the message names some), a unit
//  name
//                       fits several groups, or cgroup v2 is needed and not mounted
//  others               errno of what was tried
absl::StatusOr<ResolvedTargetPtr> ResolveTarget(const sabot::v1::Target& target,
                                                const ContainerLookup& containers,
                                                const ResolvedTarget* previous = nullptr);

enum class TargetChange {
  kSame,
  // Another process, or another network namespace: resolve it again, and compare with SameScope.
  kChanged,
  // Over for good: a process that has ended, a namespace or a group that was removed.
  kGone,
};

// A cheap look (a few microseconds, no runtime is asked): the main process lives and is in the same network
// namespace, the name still means that namespace, the group is the same directory. It does not see that a
// process other than the main one moved to another namespace, or joined the group.
TargetChange Recheck(const ResolvedTarget& target);

}  // namespace sabot::agent

#endif  // SABOT_AGENT_TARGET_H_
