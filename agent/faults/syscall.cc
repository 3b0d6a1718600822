// SPDX-License-Identifier: Apache-2.0
//
// System call faults: calls that a target's processes make return an error.
//
// Targets are sets of tasks: a process with its threads, or everything in a cgroup or container; nothing of
// the target is touched. Rules live in BPF maps with an end and under a lease; the programs are attached by
// descriptors of the agent, so every rung ends with it and nothing needs a journal.
//
// What if a call is asked for that a rung has no hook for: the rung is not taken, or with best_effort the
// call is left out and the status says so. What if the agent lives in the target: it is left out.
#include "agent/faults/syscall.h"

#include <string.h>

#include <cmath>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/faults/fault_context.h"
#include "agent/syscall/call_table.h"
#include "agent/syscall/engine.h"
#include "loader/status.h"

namespace sabot::agent {
namespace {

using loader::Feature;
using sabot::v1::Fault;
using sabot::v1::FIDELITY_DEGRADED;
using sabot::v1::FIDELITY_EXACT;
using sabot::v1::SyscallFault;

constexpr int kMaxCalls = 512;

// --- What is asked for ---

absl::Status ValidateCalls(const SyscallFault& fault) {
  if (fault.calls().empty() || fault.calls_size() > kMaxCalls) {
    return absl::InvalidArgumentError(absl::StrCat("syscall.calls: must have 1 to ", kMaxCalls, " names"));
  }
  std::set<std::string> names;
  for (int i = 0; i < fault.calls_size(); ++i) {
    const std::string& call = fault.calls(i);
    const auto refuse = [&](const char* why) {
      return absl::InvalidArgumentError(absl::StrCat("syscall.calls[", i, "]: ", call, why));
    };
    if (!NumbersOf(call).known()) return refuse(" is no system call of this architecture");
    if (MustNotFail(call)) return refuse(" never returns, so that its caller could not go on or end");
    if (!names.insert(call).second) return refuse(" is there twice");
  }
  return absl::OkStatus();
}

absl::Status ValidateConditions(const SyscallFault& fault) {
  if (fault.conditions_size() > SABOT_CONDITIONS) {
    return absl::InvalidArgumentError(
        absl::StrCat("syscall.conditions: at most ", SABOT_CONDITIONS, " are possible"));
  }
  for (int i = 0; i < fault.conditions_size(); ++i) {
    const SyscallFault::Condition& condition = fault.conditions(i);
    const auto refuse = [i](const char* what) {
      return absl::InvalidArgumentError(absl::StrCat("syscall.conditions[", i, "]", what));
    };
    if (condition.argument() > 5) return refuse(".argument: must be 0 to 5");
    if (condition.mask() == 0) return refuse(".mask: must not be 0");
    if (condition.comparison() < SyscallFault::Condition::EQUAL ||
        condition.comparison() > SyscallFault::Condition::GREATER) {
      return refuse(".comparison: must be EQUAL, NOT_EQUAL, LESS or GREATER");
    }
  }
  return absl::OkStatus();
}

absl::Status Validate(const Fault& fault) {
  const SyscallFault& syscall = fault.syscall();
  SABOT_RETURN_IF_ERROR(ValidateCalls(syscall));
  SABOT_RETURN_IF_ERROR(ValidateConditions(syscall));
  if (!(syscall.percent() >= 0 && syscall.percent() <= 100)) {
    return absl::InvalidArgumentError(
        absl::StrCat("syscall.percent: must be 0 to 100, is ", syscall.percent()));
  }
  if (!syscall.has_error()) {
    return absl::InvalidArgumentError("syscall.effect: none is set, or one that this version does not know");
  }
  const uint32_t number = syscall.error().number();
  if (number == 0 || number > 4095 || strerrorname_np(static_cast<int>(number)) == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("syscall.error.number: ", number, " is no error"));
  }
  return absl::OkStatus();
}

// --- By which mechanisms ---

constexpr Feature kOverrideNeeds[] = {Feature::kKprobeOverride};
constexpr Feature kFmodRetNeeds[] = {Feature::kFmodRetSyscall};
constexpr Feature kSecurityNeeds[] = {Feature::kFmodRetSecurity};
constexpr Feature kCgroupNeeds[] = {Feature::kCgroupV2, Feature::kCgroupSockAddr, Feature::kCgroupSockopt};

constexpr std::string_view kByDescriptor = "the kernel, when the agent's descriptor closes";

constexpr int Id(CallRung rung) { return static_cast<int>(rung); }

constexpr Rung kErrorLadder[] = {
    {"override", kOverrideNeeds, FIDELITY_EXACT, kByDescriptor, "", Id(CallRung::kOverride)},
    {"fmod_ret", kFmodRetNeeds, FIDELITY_EXACT, kByDescriptor, "", Id(CallRung::kFmodRet)},
    {"security", kSecurityNeeds, FIDELITY_DEGRADED, kByDescriptor,
     "calls are met on their way, at a hook of the security framework: one that fails before for a reason of "
     "its "
     "own is neither hit nor counted, and an open that creates its file has created it",
     Id(CallRung::kSecurity)},
    {"cgroup", kCgroupNeeds, FIDELITY_DEGRADED, kByDescriptor,
     "of 64-bit processes, on sockets that were made in the target's cgroup; connect and bind of IPv4 and "
     "IPv6 "
     "sockets only, sending by UDP sockets that name the receiver only; a getsockopt has written its result",
     Id(CallRung::kCgroup)},
};

constexpr Effect kEffects[] = {
    {"error", "system calls return an error", kErrorLadder},
};

const Effect& EffectOf(const Fault&) { return kEffects[0]; }

// --- On this target ---

std::vector<std::string> CallsOf(const Fault& fault) {
  return {fault.syscall().calls().begin(), fault.syscall().calls().end()};
}

std::optional<std::string> Unfit(const Rung& rung, const Fault& fault, const ResolvedTarget& target) {
  const auto which = static_cast<CallRung>(rung.id);
  const auto scope = ScopeOf(target);
  if (!scope.ok()) return std::string(scope.status().message());
  if (auto cannot = CannotMeet(which, CallsOf(fault), fault.syscall().best_effort())) return cannot;
  if (which != CallRung::kCgroup) return std::nullopt;
  if (!target.cgroup) return absl::StrCat(target.description, " has no cgroup of its own that is known");
  if (!fault.syscall().conditions().empty()) return "its hooks do not see the arguments";
  return std::nullopt;
}

// --- Applied ---

class SyscallInjection : public Injection {
 public:
  explicit SyscallInjection(std::unique_ptr<CallRule> rule) : rule_(std::move(rule)) {}

  absl::StatusOr<sabot::v1::Counters> Observe() override {
    SABOT_ASSIGN_OR_RETURN(const sabot_call_counts counts, rule_->Counts());
    sabot::v1::Counters counters;
    counters.set_seen(counts.seen);
    counters.set_matched(counts.matched);
    counters.set_affected(counts.affected);
    return counters;
  }

  std::string Note() const override {
    if (rule_->left_out().empty()) return "";
    return absl::StrCat("without ", absl::StrJoin(rule_->left_out(), ", "),
                        ": this mechanism cannot meet them on this kernel");
  }

  absl::Status End() override {
    rule_->End();
    return absl::OkStatus();
  }

  absl::StatusOr<bool> Gone() override { return true; }

 private:
  std::unique_ptr<CallRule> rule_;
};

constexpr sabot_condition kAlways = {
    .mask = 0, .value = 0, .argument = 0, .accept = SABOT_IS_LESS | SABOT_IS_EQUAL | SABOT_IS_GREATER};

sabot_condition ConditionOf(const SyscallFault::Condition& condition) {
  uint32_t accept = SABOT_IS_EQUAL;
  if (condition.comparison() == SyscallFault::Condition::NOT_EQUAL) accept = SABOT_IS_LESS | SABOT_IS_GREATER;
  if (condition.comparison() == SyscallFault::Condition::LESS) accept = SABOT_IS_LESS;
  if (condition.comparison() == SyscallFault::Condition::GREATER) accept = SABOT_IS_GREATER;
  return {.mask = condition.mask(),
          .value = condition.value(),
          .argument = condition.argument(),
          .accept = accept};
}

sabot_call_rule RuleOf(const SyscallFault& fault, uint64_t end_ns) {
  sabot_call_rule rule = {};
  rule.end_ns = end_ns;
  rule.below = static_cast<uint64_t>(std::llround(fault.percent() / 100 * 4294967296.0));
  rule.skip = fault.skip();
  rule.times = fault.times();
  rule.error = -static_cast<int64_t>(fault.error().number());
  rule.conditions = static_cast<uint64_t>(fault.conditions_size());
  for (int i = 0; i < SABOT_CONDITIONS; ++i) {
    rule.condition[i] = i < fault.conditions_size() ? ConditionOf(fault.conditions(i)) : kAlways;
  }
  return rule;
}

absl::StatusOr<std::unique_ptr<Injection>> Apply(FaultContext& context, const Rung& rung, const Fault& fault,
                                                 const ResolvedTarget& target, uint64_t end_ns) {
  SABOT_ASSIGN_OR_RETURN(SyscallEngine * engine, context.Syscalls());
  CallOrder order;
  order.rung = static_cast<CallRung>(rung.id);
  SABOT_ASSIGN_OR_RETURN(order.scope, ScopeOf(target));
  if (target.cgroup) order.cgroup = target.cgroup->path.string();
  order.calls = CallsOf(fault);
  order.best_effort = fault.syscall().best_effort();
  order.rule = RuleOf(fault.syscall(), end_ns);
  SABOT_ASSIGN_OR_RETURN(auto rule, engine->Add(order));
  return std::make_unique<SyscallInjection>(std::move(rule));
}

}  // namespace

const FaultType kSyscallFault = {
    .family = "syscall",
    .kind = Fault::kSyscall,
    .effects = kEffects,
    .validate = Validate,
    .effect_of = EffectOf,
    .unfit = Unfit,
    .apply = Apply,
};

}  // namespace sabot::agent
