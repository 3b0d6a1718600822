// SPDX-License-Identifier: Apache-2.0
//
// Control groups as the agent sees them: where the hierarchies are mounted, who is in a group, and whether
// all of these live in one network namespace.
#ifndef SABOT_AGENT_CGROUP_H_
#define SABOT_AGENT_CGROUP_H_

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sabot::agent {

// A cgroup v2 directory.
struct CgroupRef {
  std::filesystem::path path;  // absolute, below the v2 mount
  uint64_t id = 0;  // the inode of the directory, which is what bpf_get_current_cgroup_id() returns

  friend bool operator==(const CgroupRef&, const CgroupRef&) = default;
};

// The mount points of one machine. A plain value; reading it needs no lock.
class CgroupMounts {
 public:
  // Reads /proc/self/mountinfo. It is no error if a hierarchy is not mounted.
  static absl::StatusOr<CgroupMounts> Find();
  // The same from the text of a mountinfo file; pure.
  static CgroupMounts Parse(std::string_view mountinfo);

  // The v2 hierarchy ("/sys/fs/cgroup", or "/sys/fs/cgroup/unified" beside v1); empty: not mounted.
  const std::filesystem::path& unified() const { return unified_; }
  // The v1 hierarchy in which systemd keeps its units where v2 is not its own; empty: not mounted.
  const std::filesystem::path& systemd_v1() const { return systemd_v1_; }

  // `name` is absolute below the v2 mount, or relative to it ("system.slice/foo.service"). NOT_FOUND if there
  // is no such directory, INVALID_ARGUMENT if it is outside of the mount, FAILED_PRECONDITION if v2 is not
  // mounted.
  absl::StatusOr<CgroupRef> Open(std::string_view name) const;

  // The v2 group that a process is in. NOT_FOUND if the process has ended, FAILED_PRECONDITION as above.
  absl::StatusOr<CgroupRef> OfProcess(pid_t pid) const;

 private:
  std::filesystem::path unified_;
  std::string unified_root_;  // the group that is mounted there, as seen from our cgroup namespace
  std::filesystem::path systemd_v1_;
};

// The groups right below a group, in no order; none if it has gone.
std::vector<std::filesystem::path> SubgroupsOf(const std::filesystem::path& directory);

// Processes in the group and all groups below it, ascending, without repetition. Works on v1 and v2
// directories. A group that vanishes meanwhile has no members; NOT_FOUND if `directory` itself is not there.
absl::StatusOr<std::vector<pid_t>> MembersOf(const std::filesystem::path& directory);

// A process and its network namespace.
struct MemberNetns {
  pid_t pid = 0;
  std::string command;       // /proc/PID/comm
  uint64_t netns_inode = 0;  // 0: we may not look
};

// The network namespaces of processes; those that end meanwhile are left out.
std::vector<MemberNetns> NetnsOf(const std::vector<pid_t>& pids);

// Whether a rule on the group would hit processes of one network namespace only.
struct Exclusivity {
  size_t members = 0;
  std::vector<MemberNetns> strangers;  // those who live elsewhere

  bool exclusive() const { return strangers.empty(); }
  // "4242 (nginx), 4243 (sh) and 7 more"; empty if there are none.
  std::string StrangerNames() const;
};

// Looks at all processes of the group's subtree, now: others may join later.
absl::StatusOr<Exclusivity> ExclusiveTo(const std::filesystem::path& cgroup, uint64_t netns_inode);

// "4242 (nginx), 4243 (sh) and 7 more".
std::string NameProcesses(const std::vector<MemberNetns>& processes);

}  // namespace sabot::agent

#endif  // SABOT_AGENT_CGROUP_H_
