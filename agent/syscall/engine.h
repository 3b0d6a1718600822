// SPDX-License-Identifier: Apache-2.0
//
// All faults of system calls of an agent: the loaded programs, the rules, and the hooks that live ones need.
#ifndef SABOT_AGENT_SYSCALL_ENGINE_H_
#define SABOT_AGENT_SYSCALL_ENGINE_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/syscall/call_table.h"
#include "agent/syscall/scope.h"
#include "loader/fd.h"
#include "loader/syscall_programs.h"

namespace sabot::agent {

// What one fault wants.
struct CallOrder {
  CallRung rung = CallRung::kOverride;
  CallScope scope;
  std::string cgroup;              // directory, for CallRung::kCgroup
  std::vector<std::string> calls;  // known ones
  bool best_effort = false;        // those that cannot be met are left out, unless that is all
  sabot_call_rule rule = {};
};

class SyscallEngine;

// A rule in force. Ends with its object, which the engine must outlive. Owner thread only.
class CallRule {
 public:
  CallRule(const CallRule&) = delete;
  CallRule& operator=(const CallRule&) = delete;
  ~CallRule();

  absl::StatusOr<sabot_call_counts> Counts() const;
  // It does nothing from here on; Counts() are final. Idempotent.
  void End();
  // The calls that were left out, ascending.
  const std::vector<std::string>& left_out() const { return left_out_; }

 private:
  friend class SyscallEngine;
  CallRule(SyscallEngine& engine, uint32_t index) : engine_(engine), index_(index) {}

  SyscallEngine& engine_;
  uint32_t index_;
  CallScope scope_;
  std::vector<sabot_call_key> keys_;
  std::vector<std::shared_ptr<loader::HookLinks>> hooks_;
  std::vector<std::string> left_out_;
};

// Owner thread only.
class SyscallEngine {
 public:
  static absl::StatusOr<std::unique_ptr<SyscallEngine>> Create(
      const loader::SyscallPrograms::Options& options);

  void SetLease(uint64_t boottime_ns) { programs_->SetLease(boottime_ns); }

  // Whole or not at all. UNIMPLEMENTED if this kernel lacks what a call is met by; RESOURCE_EXHAUSTED if
  // there are too many rules, or more than SABOT_CALL_RULES for one call of one target.
  absl::StatusOr<std::unique_ptr<CallRule>> Add(const CallOrder& order);

 private:
  friend class CallRule;
  // Mechanism, function or cgroup directory, number of the hook.
  using HookId = std::tuple<CallRung, std::string, uint32_t>;
  struct KeyLess {
    bool operator()(const sabot_call_key& a, const sabot_call_key& b) const {
      return std::tuple(a.id, a.scope, a.hook, a.call) < std::tuple(b.id, b.scope, b.hook, b.call);
    }
  };

  SyscallEngine(std::unique_ptr<loader::SyscallPrograms> programs, uint32_t rules);

  absl::Status Meet(const CallOrder& order, const std::string& call, CallRule& rule);
  absl::Status MeetAtEntry(const CallOrder& order, const std::string& call, CallRule& rule);
  absl::Status MeetAtEntryOf(const CallOrder& order, const std::string& call, bool compat, uint32_t number,
                             CallRule& rule);
  absl::Status MeetAtSecurity(const CallOrder& order, const std::string& call, CallRule& rule);
  absl::Status MeetAtCgroup(const CallOrder& order, const std::string& call, CallRule& rule);
  absl::Status Hold(const HookId& id, CallRule& rule);
  absl::StatusOr<loader::HookLinks> Attach(const HookId& id);

  absl::Status PutUnderKeys(CallRule& rule);
  absl::Status Put(const sabot_call_key& key);
  void TakeFromKeys(CallRule& rule);
  void ShowScopes();

  std::unique_ptr<loader::SyscallPrograms> programs_;
  std::deque<uint32_t> free_;  // rules, the one that was freed first at the front
  std::map<HookId, std::weak_ptr<loader::HookLinks>> hooks_;
  std::map<sabot_call_key, std::vector<uint32_t>, KeyLess> keys_;
  std::map<uint32_t, CallScope> scopes_;  // by rule
};

}  // namespace sabot::agent

#endif  // SABOT_AGENT_SYSCALL_ENGINE_H_
