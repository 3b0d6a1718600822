// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <seccomp.h>

#include "agent/faults/syscall.h"
#include "agent/syscall/call_table.h"

namespace sabot::agent {
namespace {

using sabot::v1::Fault;
using sabot::v1::SyscallFault;
using testing::ElementsAre;
using testing::HasSubstr;

Fault Good() {
  Fault fault;
  SyscallFault& syscall = *fault.mutable_syscall();
  syscall.add_calls("openat");
  syscall.set_percent(50);
  syscall.mutable_error()->set_number(5);
  return fault;
}

std::string Refusal(const Fault& fault) { return std::string(kSyscallFault.validate(fault).message()); }

TEST(SyscallValidate, TakesWhatIsInOrder) { EXPECT_TRUE(kSyscallFault.validate(Good()).ok()); }

TEST(SyscallValidate, NamesTheCall) {
  Fault fault = Good();
  fault.mutable_syscall()->set_calls(0, "opnat");
  EXPECT_THAT(Refusal(fault), HasSubstr("syscall.calls[0]: opnat is no system call"));
  fault.mutable_syscall()->set_calls(0, "exit_group");
  EXPECT_THAT(Refusal(fault), HasSubstr("exit_group never returns"));
  fault = Good();
  fault.mutable_syscall()->add_calls("openat");
  EXPECT_THAT(Refusal(fault), HasSubstr("syscall.calls[1]: openat is there twice"));
  fault.mutable_syscall()->clear_calls();
  EXPECT_THAT(Refusal(fault), HasSubstr("syscall.calls: must have 1 to 512"));
}

TEST(SyscallValidate, WantsARealError) {
  for (uint32_t number : {0u, 41u, 58u, 134u, 512u, 4096u, 4294967291u}) {
    Fault fault = Good();
    fault.mutable_syscall()->mutable_error()->set_number(number);
    EXPECT_THAT(Refusal(fault), HasSubstr("syscall.error.number")) << number;
  }
  Fault fault = Good();
  fault.mutable_syscall()->clear_effect();
  EXPECT_THAT(Refusal(fault), HasSubstr("syscall.effect"));
}

TEST(SyscallValidate, BoundsPercentAndConditions) {
  for (double percent : {-0.1, 100.1, std::numeric_limits<double>::quiet_NaN()}) {
    Fault fault = Good();
    fault.mutable_syscall()->set_percent(percent);
    EXPECT_THAT(Refusal(fault), HasSubstr("syscall.percent")) << percent;
  }
  const auto with = [](uint32_t argument, SyscallFault::Condition::Comparison comparison, uint64_t mask) {
    Fault fault = Good();
    SyscallFault::Condition& condition = *fault.mutable_syscall()->add_conditions();
    condition.set_argument(argument);
    condition.set_comparison(comparison);
    condition.set_mask(mask);
    return Refusal(fault);
  };
  EXPECT_EQ(with(5, SyscallFault::Condition::LESS, 1), "");
  EXPECT_THAT(with(6, SyscallFault::Condition::LESS, 1), HasSubstr("syscall.conditions[0].argument"));
  EXPECT_THAT(with(0, SyscallFault::Condition::COMPARISON_UNSPECIFIED, 1), HasSubstr(".comparison"));
  EXPECT_THAT(with(0, SyscallFault::Condition::LESS, 0), HasSubstr(".mask"));
  Fault fault = Good();
  for (int i = 0; i < 5; ++i) fault.mutable_syscall()->add_conditions();
  EXPECT_THAT(Refusal(fault), HasSubstr("at most 4"));
}

TEST(CallTable, TakesNumbersFromLibseccomp) {
  EXPECT_EQ(NumbersOf("openat").native, 257u);
  EXPECT_EQ(NumbersOf("openat").compat, 295u);
  EXPECT_EQ(NumbersOf("mmap2").native, std::nullopt);
  EXPECT_EQ(NumbersOf("mmap2").compat, 192u);
  EXPECT_FALSE(NumbersOf("no_such_call").known());
  EXPECT_FALSE(NumbersOf("").known());
}

// Every call of the tables is one, so that a misspelt row is seen.
TEST(CallTable, HasHooksForRealCallsOnly) {
  int hooks = 0;
  for (int number = 0; number < 600; ++number) {
    char* name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, number);
    if (name == nullptr) continue;
    hooks += static_cast<int>(SecurityHooksOf(name).size());
    free(name);
  }
  EXPECT_GE(hooks, 95);
  EXPECT_EQ(SecurityHooksOf("openat").size(), 1u);
  EXPECT_EQ(SecurityHooksOf("openat")[0].function, "security_file_open");
  EXPECT_TRUE(SecurityHooksOf("fsync").empty());
  EXPECT_TRUE(SecurityHooksOf("open a").empty());
}

TEST(CallTable, KnowsOtherNamesOfFunctions) {
  EXPECT_THAT(EntryFunctions("openat", false), ElementsAre("__x64_sys_openat"));
  EXPECT_THAT(EntryFunctions("stat", false), ElementsAre("__x64_sys_newstat"));
  EXPECT_THAT(EntryFunctions("umount2", false), ElementsAre("__x64_sys_umount"));
  EXPECT_THAT(EntryFunctions("openat", true), ElementsAre("__ia32_compat_sys_openat", "__ia32_sys_openat"));
}

TEST(CallTable, SaysWhatARungCannotMeet) {
  const auto cannot = [](CallRung rung, std::vector<std::string> calls, bool best_effort = false) {
    return CannotMeet(rung, calls, best_effort).value_or("");
  };
  EXPECT_EQ(cannot(CallRung::kOverride, {"fsync"}), "");
  EXPECT_THAT(cannot(CallRung::kSecurity, {"openat", "fsync"}), HasSubstr("no hook for fsync"));
  EXPECT_EQ(cannot(CallRung::kSecurity, {"openat", "fsync"}, true), "");
  EXPECT_EQ(cannot(CallRung::kCgroup, {"connect", "bind"}), "");
  EXPECT_THAT(cannot(CallRung::kCgroup, {"sendto"}),
              HasSubstr("cannot tell sendto, sendmsg, sendmmsg apart"));
  EXPECT_EQ(cannot(CallRung::kCgroup, {"sendto", "sendmsg", "sendmmsg"}), "");
  EXPECT_THAT(cannot(CallRung::kCgroup, {"openat"}, true), HasSubstr("no hook for openat"));
}

}  // namespace
}  // namespace sabot::agent
