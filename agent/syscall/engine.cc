// SPDX-License-Identifier: Apache-2.0
#include "agent/syscall/engine.h"

#include <fcntl.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "loader/status.h"

namespace sabot::agent {
namespace {

sabot_call_key KeyOf(const CallScope& scope, uint32_t hook, uint32_t call) {
  return {.id = scope.id,
          .scope = static_cast<uint16_t>(scope.kind),
          .hook = static_cast<uint16_t>(hook),
          .call = call};
}

// Both numbers of a call, as programs see them.
std::vector<uint32_t> CallIds(const std::string& call) {
  const CallNumbers numbers = NumbersOf(call);
  std::vector<uint32_t> ids;
  if (numbers.native) ids.push_back(*numbers.native);
  if (numbers.compat) ids.push_back(*numbers.compat | SABOT_CALL_COMPAT);
  return ids;
}

}  // namespace

CallRule::~CallRule() {
  End();
  engine_.free_.push_back(index_);
}

void CallRule::End() {
  loader::Store(engine_.programs_->rules()[index_].end_ns, 0);
  engine_.TakeFromKeys(*this);
  keys_.clear();
  hooks_.clear();
  std::erase_if(engine_.hooks_, [](const auto& hook) { return hook.second.expired(); });
}

absl::StatusOr<sabot_call_counts> CallRule::Counts() const { return engine_.programs_->Counts(index_); }

SyscallEngine::SyscallEngine(std::unique_ptr<loader::SyscallPrograms> programs, uint32_t rules)
    : programs_(std::move(programs)) {
  for (uint32_t i = 0; i < rules; ++i) free_.push_back(i);
}

absl::StatusOr<std::unique_ptr<SyscallEngine>> SyscallEngine::Create(
    const loader::SyscallPrograms::Options& options) {
  SABOT_ASSIGN_OR_RETURN(auto programs, loader::SyscallPrograms::Create(options));
  return std::unique_ptr<SyscallEngine>(new SyscallEngine(std::move(programs), options.rules));
}

absl::StatusOr<std::unique_ptr<CallRule>> SyscallEngine::Add(const CallOrder& order) {
  if (free_.empty()) return absl::ResourceExhaustedError("there is no room for another rule of system calls");
  const uint32_t index = free_.front();
  free_.pop_front();
  std::unique_ptr<CallRule> rule(new CallRule(*this, index));
  rule->scope_ = order.scope;
  SABOT_RETURN_IF_ERROR(programs_->ClearCounts(index));
  programs_->states()[index] = {};
  sabot_call_rule& shared = programs_->rules()[index];
  loader::Store(shared.end_ns, 0);
  shared = order.rule;
  // Hooks first, which do nothing as yet: the fault then begins everywhere at once.
  for (const std::string& call : order.calls) {
    const absl::Status met = Meet(order, call, *rule);
    if (met.ok()) continue;
    if (!absl::IsUnimplemented(met) || !order.best_effort) return met;
    rule->left_out_.push_back(call);
  }
  if (rule->left_out_.size() == order.calls.size()) {
    return absl::UnimplementedError(
        absl::StrCat("this kernel has no place to meet any of ", absl::StrJoin(order.calls, ", ")));
  }
  std::sort(rule->left_out_.begin(), rule->left_out_.end());
  SABOT_RETURN_IF_ERROR(PutUnderKeys(*rule));
  return rule;
}

absl::Status SyscallEngine::Meet(const CallOrder& order, const std::string& call, CallRule& rule) {
  if (order.rung == CallRung::kSecurity) return MeetAtSecurity(order, call, rule);
  if (order.rung == CallRung::kCgroup) return MeetAtCgroup(order, call, rule);
  return MeetAtEntry(order, call, rule);
}

// What 64-bit processes call must be met, and what 32-bit ones call where the kernel has that.
absl::Status SyscallEngine::MeetAtEntry(const CallOrder& order, const std::string& call, CallRule& rule) {
  const CallNumbers numbers = NumbersOf(call);
  absl::Status native = absl::UnimplementedError("64-bit processes have no such call");
  absl::Status compat = native;
  if (numbers.native) native = MeetAtEntryOf(order, call, false, *numbers.native, rule);
  if (numbers.compat) {
    compat = MeetAtEntryOf(order, call, true, *numbers.compat | SABOT_CALL_COMPAT, rule);
    if (!compat.ok() && !absl::IsUnimplemented(compat)) return compat;
  }
  return numbers.native ? native : compat;
}

absl::Status SyscallEngine::MeetAtEntryOf(const CallOrder& order, const std::string& call, bool compat,
                                          uint32_t number, CallRule& rule) {
  absl::Status last;
  for (const std::string& function : EntryFunctions(call, compat)) {
    last = Hold({order.rung, function, compat ? SABOT_CALL_COMPAT : 0}, rule);
    if (last.ok()) rule.keys_.push_back(KeyOf(order.scope, SABOT_HOOK_ENTRY, number));
    if (!absl::IsUnimplemented(last)) return last;
  }
  return last;
}

absl::Status SyscallEngine::MeetAtSecurity(const CallOrder& order, const std::string& call, CallRule& rule) {
  absl::Status result = absl::UnimplementedError(absl::StrCat("there is no security hook for ", call));
  bool any = false;
  for (const SecurityHook& hook : SecurityHooksOf(call)) {
    result = Hold({order.rung, std::string(hook.function), hook.number}, rule);
    if (!result.ok() && !absl::IsUnimplemented(result)) return result;
    if (!result.ok()) continue;
    any = true;
    for (const uint32_t id : CallIds(call)) rule.keys_.push_back(KeyOf(order.scope, hook.number, id));
  }
  return any ? absl::OkStatus() : result;
}

absl::Status SyscallEngine::MeetAtCgroup(const CallOrder& order, const std::string& call, CallRule& rule) {
  const auto hook = CgroupHookOf(call);
  if (!hook) return absl::UnimplementedError(absl::StrCat("there is no cgroup hook for ", call));
  SABOT_RETURN_IF_ERROR(Hold({order.rung, order.cgroup, *hook}, rule));
  const sabot_call_key key = KeyOf(order.scope, *hook, SABOT_CALL_ANY);
  const bool there = std::any_of(rule.keys_.begin(), rule.keys_.end(),
                                 [&](const sabot_call_key& other) { return other.hook == key.hook; });
  if (!there) rule.keys_.push_back(key);
  return absl::OkStatus();
}

absl::Status SyscallEngine::Hold(const HookId& id, CallRule& rule) {
  std::shared_ptr<loader::HookLinks> links = hooks_[id].lock();
  if (links == nullptr) {
    SABOT_ASSIGN_OR_RETURN(loader::HookLinks attached, Attach(id));
    links = std::make_shared<loader::HookLinks>(std::move(attached));
    hooks_[id] = links;
  }
  if (std::find(rule.hooks_.begin(), rule.hooks_.end(), links) == rule.hooks_.end()) {
    rule.hooks_.push_back(std::move(links));
  }
  return absl::OkStatus();
}

absl::StatusOr<loader::HookLinks> SyscallEngine::Attach(const HookId& id) {
  const auto& [rung, where, number] = id;
  switch (rung) {
    case CallRung::kOverride:
      return programs_->AttachOverride(where, number == SABOT_CALL_COMPAT);
    case CallRung::kFmodRet:
      return programs_->AttachEntry(where, number == SABOT_CALL_COMPAT);
    case CallRung::kSecurity:
      return programs_->AttachSecurity(where, number);
    case CallRung::kCgroup:
      break;
  }
  const loader::UniqueFd cgroup(::open(where.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!cgroup.valid()) return ErrnoStatus(errno, absl::StrCat("open cgroup ", where));
  return programs_->AttachCgroup(static_cast<sabot_hook>(number), cgroup.get());
}

absl::Status SyscallEngine::PutUnderKeys(CallRule& rule) {
  uint32_t levels = rule.scope_.levels;
  for (const auto& [other, scope] : scopes_) levels |= scope.levels;
  if (std::popcount(levels) > SABOT_CGROUP_LEVELS) {
    return absl::ResourceExhaustedError(absl::StrCat("targets would be cgroups on more than ",
                                                     SABOT_CGROUP_LEVELS, " different levels of the tree"));
  }
  for (const sabot_call_key& key : rule.keys_) {
    std::vector<uint32_t>& rules = keys_[key];
    if (rules.size() >= SABOT_CALL_RULES) {
      return absl::ResourceExhaustedError(absl::StrCat("one system call of one target can have ",
                                                       SABOT_CALL_RULES, " faults, and this is one more"));
    }
    rules.push_back(rule.index_);
    SABOT_RETURN_IF_ERROR(Put(key));
  }
  scopes_[rule.index_] = rule.scope_;
  ShowScopes();
  return absl::OkStatus();
}

// Makes the kernel's entry what ours is.
absl::Status SyscallEngine::Put(const sabot_call_key& key) {
  const std::vector<uint32_t>& rules = keys_[key];
  if (rules.empty()) {
    keys_.erase(key);
    return programs_->EraseKey(key);
  }
  sabot_call_rules entry = {.count = static_cast<uint32_t>(rules.size()), .rule = {}};
  std::copy(rules.begin(), rules.end(), entry.rule);
  return programs_->SetKey(key, entry);
}

void SyscallEngine::TakeFromKeys(CallRule& rule) {
  for (const sabot_call_key& key : rule.keys_) {
    const auto found = keys_.find(key);
    if (found == keys_.end() || std::erase(found->second, rule.index_) == 0) continue;
    Put(key).IgnoreError();  // the rule's own end does it, if this cannot be
  }
  scopes_.erase(rule.index_);
  ShowScopes();
}

void SyscallEngine::ShowScopes() {
  uint32_t kinds = 0, levels = 0;
  for (const auto& [rule, scope] : scopes_) {
    kinds |= scope.kind;
    levels |= scope.levels;
  }
  programs_->SetScopes(kinds, levels);
}

}  // namespace sabot::agent
