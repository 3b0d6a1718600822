// SPDX-License-Identifier: Apache-2.0
#include "agent/target.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/cri_connection.h"
#include "agent/file.h"
#include "agent/unit.h"
#include "loader/status.h"

namespace sabot::agent {
namespace {

namespace fs = std::filesystem;
using sabot::v1::Target;

absl::Status About(const std::string& what, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(what, ": ", status.message()));
}

// What vanished while it was looked at is over only for targets that nothing can take the place of.
absl::Status MayComeBack(const std::string& what, const absl::Status& status) {
  return About(what, absl::IsNotFound(status) ? absl::UnavailableError(status.message()) : status);
}

absl::Status OpenNetnsOf(pid_t pid, ResolvedTarget& target) {
  auto netns = loader::Netns::OpenPid(pid);
  if (absl::IsNotFound(netns.status())) return absl::NotFoundError(absl::StrCat("no process ", pid));
  if (!netns.ok()) return netns.status();
  target.netns = std::make_shared<const loader::Netns>(*std::move(netns));
  return absl::OkStatus();
}

// ---- What groups, units and containers have in common: many processes, one of which speaks for all.

absl::Status CheckOneNetns(const std::vector<MemberNetns>& members) {
  for (const MemberNetns& member : members) {
    if (member.netns_inode == members[0].netns_inode) continue;
    auto named = [](const MemberNetns& m) {
      std::string where = m.netns_inode == 0 ? "one that we may not look at" : absl::StrCat(m.netns_inode);
      return absl::StrCat("process ", m.pid, " (", m.command, ") in ", where);
    };
    return absl::FailedPreconditionError(absl::StrCat(
        "its processes live in different network namespaces: ", named(members[0]), ", ", named(member)));
  }
  return absl::OkStatus();
}

// The process that was there first. NOT_FOUND if all have ended.
absl::StatusOr<TargetProcess> Oldest(const std::vector<MemberNetns>& members) {
  absl::StatusOr<TargetProcess> oldest = absl::NotFoundError("all processes have ended");
  for (const MemberNetns& member : members) {
    auto stat = ReadProcessStat(member.pid);
    if (!stat.ok()) continue;
    const auto age = std::tie(stat->start_time, member.pid);
    if (oldest.ok() && std::tie(oldest->start_time, oldest->pid) <= age) continue;
    auto process = OpenProcess(member.pid);
    if (process.ok()) oldest = std::move(process);
  }
  return oldest;
}

// Fills in processes and namespace. With no processes it leaves them out and returns OK.
absl::Status AddMembers(const std::vector<pid_t>& pids, ResolvedTarget& target) {
  std::vector<MemberNetns> members = NetnsOf(pids);
  SABOT_RETURN_IF_ERROR(CheckOneNetns(members));
  if (!target.main) {
    auto oldest = Oldest(members);
    if (absl::IsNotFound(oldest.status())) return absl::OkStatus();
    if (!oldest.ok()) return oldest.status();
    target.main = *std::move(oldest);
  }
  SABOT_RETURN_IF_ERROR(OpenNetnsOf(target.main->pid, target));
  for (const MemberNetns& member : members) target.pids.push_back(member.pid);
  return absl::OkStatus();
}

// ---- One function per kind.

absl::Status ResolvePid(const Target& target, const CgroupMounts& mounts, ResolvedTarget& resolved) {
  if (target.pid() < 1 || target.pid() > static_cast<uint32_t>(kMaxPid)) {
    return absl::InvalidArgumentError(absl::StrCat("pid ", target.pid(), " is not within 1 to ", kMaxPid));
  }
  const pid_t pid = static_cast<pid_t>(target.pid());
  SABOT_ASSIGN_OR_RETURN(resolved.main, OpenProcess(pid));
  resolved.description = absl::StrCat("process ", pid, " (", resolved.main->command, ")");
  resolved.pids = {pid};
  SABOT_RETURN_IF_ERROR(OpenNetnsOf(pid, resolved));
  auto cgroup = mounts.OfProcess(pid);
  if (cgroup.ok() && cgroup->path != mounts.unified()) resolved.cgroup = *std::move(cgroup);
  return absl::OkStatus();
}

absl::Status ResolveNetns(const Target& target, ResolvedTarget& resolved) {
  const std::string& name = target.netns();
  const bool is_path = !name.empty() && name[0] == '/';
  resolved.netns_path = is_path ? fs::path(name) : fs::path("/run/netns") / name;
  resolved.description = absl::StrCat("network namespace ", name);
  auto netns = is_path ? loader::Netns::OpenPath(name) : loader::Netns::OpenNamed(name);
  if (absl::IsNotFound(netns.status())) {
    return absl::NotFoundError(absl::StrCat("no network namespace ", resolved.netns_path.native()));
  }
  if (!netns.ok()) return netns.status();
  resolved.netns = std::make_shared<const loader::Netns>(*std::move(netns));
  return absl::OkStatus();
}

absl::Status ResolveCgroup(const Target& target, const CgroupMounts& mounts, ResolvedTarget& resolved) {
  SABOT_ASSIGN_OR_RETURN(resolved.cgroup, mounts.Open(target.cgroup()));
  resolved.cgroup_is_target = true;
  if (resolved.cgroup->path == mounts.unified()) {
    return absl::InvalidArgumentError("the root cgroup is no target: it is the whole machine");
  }
  resolved.description =
      absl::StrCat("cgroup ", resolved.cgroup->path.lexically_relative(mounts.unified()).native());
  SABOT_ASSIGN_OR_RETURN(std::vector<pid_t> pids, MembersOf(resolved.cgroup->path));
  return MayComeBack(resolved.description, AddMembers(pids, resolved));
}

absl::Status ResolveUnit(const Target& target, const CgroupMounts& mounts, const ResolvedTarget* previous,
                         ResolvedTarget& resolved) {
  SABOT_ASSIGN_OR_RETURN(std::string unit, ParseUnitName(target.unit()));
  resolved.description = absl::StrCat("unit ", unit);
  auto directory = FindUnit(mounts, unit);
  if (absl::IsNotFound(directory.status()) && previous != nullptr) {
    return absl::UnavailableError(directory.status().message());
  }
  if (!directory.ok()) return directory.status();
  auto cgroup = mounts.Open(directory->native());
  if (cgroup.ok()) {
    resolved.cgroup = *std::move(cgroup);
    resolved.cgroup_is_target = true;
  }
  auto pids = MembersOf(*directory);
  SABOT_RETURN_IF_ERROR(MayComeBack(resolved.description, pids.status()));
  SABOT_RETURN_IF_ERROR(MayComeBack(resolved.description, AddMembers(*pids, resolved)));
  if (resolved.main) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(resolved.description, " has no processes now"));
}

// The container by its id, or the one that took its place.
absl::StatusOr<ContainerInfo> FindContainer(const std::string& id, const ContainerLookup& lookup,
                                            const ResolvedTarget* previous) {
  absl::StatusOr<ContainerInfo> container = lookup.status(id);
  if (container.ok() && container->state == ContainerState::kRunning) return container;
  if (!container.ok() && !absl::IsNotFound(container.status())) return container;
  const ContainerInfo* ended = container.ok() ? &*container : nullptr;
  if (ended == nullptr && previous != nullptr && previous->container) ended = &*previous->container;
  if (ended == nullptr) return absl::NotFoundError(absl::StrCat("no container ", id));
  if (container.ok() && container->state == ContainerState::kCreated) {
    return absl::UnavailableError(absl::StrCat("container ", ended->Describe(), " has not started yet"));
  }
  absl::StatusOr<ContainerInfo> successor = lookup.successor(*ended);
  if (!absl::IsNotFound(successor.status())) return successor;
  if (container.ok()) {
    return absl::UnavailableError(absl::StrCat("container ", ended->Describe(), " is ",
                                               std::string(ToString(container->state)),
                                               " and none has taken its place"));
  }
  return absl::NotFoundError(
      absl::StrCat("no container ", ended->Describe(), ", and none has taken its place"));
}

// Whether the process is (still) in the container: runtimes put the id into the name of the group, and
// otherwise the runtime is asked once more, now that the process cannot be exchanged.
absl::Status CheckContainsProcess(const ContainerInfo& container, const ContainerLookup& lookup) {
  auto groups = ReadFile(absl::StrCat("/proc/", container.pid, "/cgroup"), size_t{1} << 20);
  if (groups.ok() && groups->find(container.id) != std::string::npos) return absl::OkStatus();
  SABOT_ASSIGN_OR_RETURN(ContainerInfo now, lookup.status(container.id));
  if (now.state == ContainerState::kRunning && now.pid == container.pid) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("container ", container.Describe(), " ended while it was looked at"));
}

// The container's own group: a process may have made groups below it and moved there, as systemd does.
// NOT_FOUND if none of those that the process is in bears the container's id: it may be shared with anybody.
absl::StatusOr<CgroupRef> ContainerCgroup(const ContainerInfo& container, const CgroupMounts& mounts) {
  SABOT_ASSIGN_OR_RETURN(CgroupRef cgroup, mounts.OfProcess(container.pid));
  for (fs::path path = cgroup.path; path != mounts.unified() && path.has_relative_path();
       path = path.parent_path()) {
    if (path.filename().native().find(container.id) != std::string::npos) return mounts.Open(path.native());
  }
  return absl::NotFoundError(absl::StrCat("no cgroup of container ", container.Describe()));
}

absl::Status ResolveContainer(const Target& target, const CgroupMounts& mounts, const ContainerLookup& lookup,
                              const ResolvedTarget* previous, ResolvedTarget& resolved) {
  SABOT_ASSIGN_OR_RETURN(std::string id, ParseContainerId(target.container()));
  const bool can_ask = lookup.status && lookup.successor;
  if (!can_ask) return absl::UnavailableError("there is no container runtime to ask");
  SABOT_ASSIGN_OR_RETURN(resolved.container, FindContainer(id, lookup, previous));
  const ContainerInfo& container = *resolved.container;
  resolved.description = absl::StrCat("container ", container.Describe());
  absl::StatusOr<TargetProcess> main = OpenProcess(container.pid);
  if (absl::IsNotFound(main.status())) {
    return absl::UnavailableError(absl::StrCat(resolved.description, ": ", main.status().message(),
                                               ", which the runtime names as its first; it has just ended, "
                                               "or we do not see the machine's processes (hostPID)"));
  }
  if (!main.ok()) return main.status();
  resolved.main = *std::move(main);
  SABOT_RETURN_IF_ERROR(CheckContainsProcess(container, lookup));
  absl::StatusOr<std::vector<pid_t>> pids = std::vector<pid_t>{container.pid};
  if (auto cgroup = ContainerCgroup(container, mounts); cgroup.ok()) {
    resolved.cgroup = *std::move(cgroup);
    resolved.cgroup_is_target = true;
    pids = MembersOf(resolved.cgroup->path);
  }
  SABOT_RETURN_IF_ERROR(MayComeBack(resolved.description, pids.status()));
  return MayComeBack(resolved.description, AddMembers(*pids, resolved));
}

absl::Status Resolve(const Target& target, const CgroupMounts& mounts, const ContainerLookup& containers,
                     const ResolvedTarget* previous, ResolvedTarget& resolved) {
  switch (target.kind_case()) {
    case Target::kPid:
      return ResolvePid(target, mounts, resolved);
    case Target::kNetns:
      return ResolveNetns(target, resolved);
    case Target::kCgroup:
      return ResolveCgroup(target, mounts, resolved);
    case Target::kUnit:
      return ResolveUnit(target, mounts, previous, resolved);
    case Target::kContainer:
      return ResolveContainer(target, mounts, containers, previous, resolved);
    case Target::KIND_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("the target has no kind, or one that this program does not know");
}

}  // namespace

absl::StatusOr<ResolvedTargetPtr> ResolveTarget(const Target& target, const ContainerLookup& containers,
                                                const ResolvedTarget* previous) {
  SABOT_ASSIGN_OR_RETURN(CgroupMounts mounts, CgroupMounts::Find());
  auto resolved = std::make_shared<ResolvedTarget>();
  resolved->kind = target.kind_case();
  SABOT_RETURN_IF_ERROR(Resolve(target, mounts, containers, previous, *resolved));
  // The namespace was opened by the process's number: it is the process's own if that lives now.
  if (resolved->main && !IsAlive(*resolved->main)) {
    std::string gone = absl::StrCat(resolved->description, ": process ", resolved->main->pid, " has ended");
    return resolved->kind == Target::kPid ? absl::NotFoundError(gone) : absl::UnavailableError(gone);
  }
  if (resolved->netns) {
    SABOT_ASSIGN_OR_RETURN(loader::Netns machine, loader::Netns::OpenInit());
    resolved->host_network = resolved->netns->inode() == machine.inode();
  }
  return ResolvedTargetPtr(std::move(resolved));
}

bool SameScope(const ResolvedTarget& a, const ResolvedTarget& b) {
  const uint64_t netns_a = a.netns ? a.netns->inode() : 0, netns_b = b.netns ? b.netns->inode() : 0;
  return netns_a == netns_b && a.cgroup == b.cgroup;
}

ContainerLookup CriLookup(std::vector<std::string> sockets) {
  auto connection = std::make_shared<CriConnection>(std::move(sockets));
  return {.status = [connection](std::string_view id) { return connection->Status(id); },
          .successor = [connection](const ContainerInfo& ended) { return connection->Successor(ended); }};
}

}  // namespace sabot::agent
