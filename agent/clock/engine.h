// SPDX-License-Identifier: Apache-2.0
//
// All clock faults of an agent: the targets they act on, and the processes of these in which the shim is.
//
// A thread of the engine's own hears of new processes and programs and puts the shim into them at once; the
// owner thread does the rest. One lock covers both.
#ifndef SABOT_AGENT_CLOCK_ENGINE_H_
#define SABOT_AGENT_CLOCK_ENGINE_H_

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "agent/clock/patched_process.h"
#include "agent/clock/shim.h"
#include "agent/clock/skew.h"
#include "agent/journal.h"
#include "agent/state_dir.h"
#include "agent/target.h"
#include "loader/fd.h"
#include "loader/process_events.h"
#include "loader/vdso.h"
#include "sabot/v1/fault.pb.h"

namespace sabot::agent {

// Public functions belong to the owner thread. Journal and state directory outlive it.
class ClockEngine {
 public:
  struct Options {
    std::string owner;    // what a second run on the same target is told
    bool follow = false;  // new processes are heard of by BPF; otherwise looked for
  };
  // UNIMPLEMENTED: this kernel's vDSO is not understood, or processes cannot be followed.
  static absl::StatusOr<std::unique_ptr<ClockEngine>> Create(Options options, Journal& journal,
                                                             const StateDir& state_dir);
  // Takes every shim out, as well as can be.
  ~ClockEngine();

  // Shims act until this CLOCK_BOOTTIME.
  void SetLease(uint64_t boottime_ns);
  // Looks for processes that nobody told of, and forgets those that ended.
  absl::Status Refresh();

  // Skews the target's clocks and returns the rule's number. ALREADY_EXISTS, with the owner's name, if
  // another process holds the target; FAILED_PRECONDITION if none of the target's processes can be changed,
  // with the reason. On failure nothing is left of it.
  absl::StatusOr<int> Add(const ResolvedTarget& target, const std::string& fault_id, const Skew& skew);
  // The rule does nothing from here on.
  absl::Status End(int rule);
  // After End(): true once everything that was changed for it is as it was.
  absl::StatusOr<bool> Gone(int rule);
  // Until Forget(), also after the end.
  sabot::v1::Counters Observe(int rule);
  // After Gone(): the rule's number means nothing any more.
  void Forget(int rule);
  // Processes of the rule's target that could not be changed, and why; empty if there are none.
  std::string Uncovered(int rule);

 private:
  struct Rule {
    Skew skew;
    bool ended = false;
    uint64_t seen = 0, matched = 0, affected = 0;
  };
  struct Site {
    std::optional<TargetClaim> claim;
    uint64_t deed = 0;
    pid_t root = 0;  // 0: the group is meant
    std::optional<CgroupRef> group;
    std::map<int, Rule> rules;
  };
  struct Process {
    pid_t pid = 0;
    std::set<std::string> sites;
    ClockReadings shift = {};  // what its time namespace adds to our clocks
    std::optional<PatchedProcess> patched;
    std::string refusal;    // why it is not patched and will not be
    bool counted = false;   // as matched
    uint64_t retry_ns = 0;  // 0: nothing to do
    int restores = 0;
  };

  ClockEngine(Options options, loader::VdsoImage image, Shim shim, uint64_t owner_id, Journal& journal,
              const StateDir& state_dir, std::unique_ptr<loader::ProcessEvents> events,
              loader::UniqueFd wake);

  absl::StatusOr<std::string> Ensure(const ResolvedTarget& target, const std::string& fault_id)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status RemoveSite(const std::string& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::set<pid_t> MembersOf(const Site& site) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FindMembers(const std::string& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<ShimSetting> SettingOf(const Process& process) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  void Join(pid_t pid, const std::set<std::string>& sites) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TryPatch(Process& process) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Count(const Process& process, uint64_t Rule::*counter) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Drop(pid_t pid) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void PushAll() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Wanted(const Process& process) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status RestoreUnwanted() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  void Drain() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Forked(pid_t pid, pid_t parent) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Executed(pid_t pid) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::set<std::string> GroupSitesOf(pid_t pid) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int Turn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Watch();
  void Wake() const;

  const Options options_;
  const loader::VdsoImage image_;
  const Shim shim_;
  const uint64_t owner_id_;
  Journal& journal_;
  const StateDir& state_dir_;
  const std::unique_ptr<loader::ProcessEvents> events_;  // null: processes are looked for
  const loader::UniqueFd wake_;

  absl::Mutex mutex_;
  std::map<std::string, Site> sites_ ABSL_GUARDED_BY(mutex_);
  std::map<int, std::string> site_of_rule_ ABSL_GUARDED_BY(mutex_);
  std::map<pid_t, Process> processes_ ABSL_GUARDED_BY(mutex_);
  uint64_t lease_ns_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t pushed_ns_ ABSL_GUARDED_BY(mutex_) = 0;  // the lease that the shims have
  uint64_t lost_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t look_ns_ ABSL_GUARDED_BY(mutex_) = 0;  // when processes are looked for next
  int next_rule_ ABSL_GUARDED_BY(mutex_) = 1;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace sabot::agent

#endif  // SABOT_AGENT_CLOCK_ENGINE_H_
