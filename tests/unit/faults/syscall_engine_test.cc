// SPDX-License-Identifier: Apache-2.0
//
// System call faults on every mechanism that this kernel has, measured from inside the target. Needs root.
#include "agent/syscall/engine.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <optional>
#include <set>
#include <string>

#include "agent/cgroup.h"
#include "loader/clock.h"
#include "loader/probe.h"
#include "tests/support/call_target.h"
#include "tests/support/cgroup.h"

namespace sabot::agent {
namespace {

using loader::Feature;
using test::CallTarget;
using test::Deed;
using test::Result;

constexpr sabot_condition kAlways = {.mask = 0, .value = 0, .argument = 0, .accept = 7};
constexpr uint64_t kSecond = 1'000'000'000;

const loader::Features& Kernel() {
  static const loader::Features* const features = new loader::Features(loader::Features::Probe());
  return *features;
}

Feature NeededBy(CallRung rung) {
  switch (rung) {
    case CallRung::kOverride:
      return Feature::kKprobeOverride;
    case CallRung::kFmodRet:
      return Feature::kFmodRetSyscall;
    case CallRung::kSecurity:
      return Feature::kFmodRetSecurity;
    case CallRung::kCgroup:
      break;
  }
  return Feature::kCgroupSockAddr;
}

const std::set<std::string>& KernelSymbols() {
  static const std::set<std::string> symbols = [] {
    std::set<std::string> names;
    std::ifstream file("/proc/kallsyms");
    for (std::string address, type, name; file >> address >> type >> name; file.ignore(200, '\n')) {
      names.insert(name);
    }
    return names;
  }();
  return symbols;
}

// What the kernel itself says, not our probes; empty if it can be done.
std::string KernelLacks(CallRung rung) {
  const std::set<std::string>& names = KernelSymbols();
  if (rung == CallRung::kOverride && !names.contains("bpf_override_return")) return "no bpf_override_return";
  if (rung == CallRung::kFmodRet && !names.contains("within_error_injection_list")) {
    return "no list of functions for error injection";
  }
  if (rung != CallRung::kCgroup && !names.contains("bpf_trampoline_link_prog")) return "no BPF trampolines";
  return "";
}

Deed OpenAndClose(const char* path) {
  return [path] {
    const long fd = Result(::syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC));
    if (fd >= 0) ::close(static_cast<int>(fd));
    return std::min(fd, 0L);
  };
}

// A connect to a port of loopback where nobody listens.
long ConnectV4() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(1), .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
  const long result = Result(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)));
  ::close(fd);
  return result;
}

class SyscallEngineTest : public testing::TestWithParam<CallRung> {
 protected:
  void SetUp() override {
    const loader::Finding& finding = Kernel().Get(NeededBy(GetParam()));
    if (finding.answer == loader::Answer::kDenied) GTEST_SKIP() << finding.reason;
    if (finding.answer != loader::Answer::kYes) {
      const std::string lacks = KernelLacks(GetParam());
      ASSERT_NE(lacks, "") << finding.reason;
      GTEST_SKIP() << finding.reason << " (checked: " << lacks << ")";
    }
    engine_ = Engine();
    ASSERT_NE(engine_, nullptr);
    engine_->SetLease(loader::BootTimeNs() + 600 * kSecond);
    target_.emplace(Deeds());
    neighbour_.emplace(Deeds());
    cgroup_.emplace("syscalls");
    cgroup_->Add(target_->pid());
  }

  // Loaded once: the verifier takes seconds on an emulated processor.
  static SyscallEngine* Engine() {
    static auto engine = SyscallEngine::Create({.rules = 64,
                                                .keys = 4096,
                                                .kprobe_override = Kernel().Has(Feature::kKprobeOverride),
                                                .fmod_ret_syscall = Kernel().Has(Feature::kFmodRetSyscall),
                                                .fmod_ret_security = Kernel().Has(Feature::kFmodRetSecurity),
                                                .cgroup_sock_addr = Kernel().Has(Feature::kCgroupSockAddr),
                                                .cgroup_sockopt = Kernel().Has(Feature::kCgroupSockopt),
                                                .self = 0});
    EXPECT_TRUE(engine.ok()) << engine.status();
    return engine.ok() ? engine->get() : nullptr;
  }

  // The deed that every mechanism can make fail, and one by another call that must not be.
  static std::vector<Deed> Deeds() {
    if (GetParam() == CallRung::kCgroup) {
      return {ConnectV4, [] {
                const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
                const int on = 1;
                const long result = Result(::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
                ::close(fd);
                return result;
              }};
    }
    return {OpenAndClose("/dev/null"), [] {
              struct stat status;
              return Result(::stat("/dev/null", &status));
            }};
  }
  static std::string Call() { return GetParam() == CallRung::kCgroup ? "connect" : "openat"; }
  // What the deed answers without a fault.
  static long Unhurt() { return GetParam() == CallRung::kCgroup ? -ECONNREFUSED : 0; }

  CallScope CgroupScope() const {
    auto mounts = CgroupMounts::Find();
    auto ref = mounts->Open(cgroup_->path());
    return {.kind = SABOT_SCOPE_CGROUP, .id = ref->id, .levels = 1u << 1};
  }
  CallScope ProcessScope() const {
    return {.kind = SABOT_SCOPE_PROCESS, .id = static_cast<uint64_t>(target_->pid()), .levels = 0};
  }

  CallOrder Order(int error) const {
    CallOrder order;
    order.rung = GetParam();
    order.scope = CgroupScope();
    order.cgroup = cgroup_->path();
    order.calls = {Call()};
    order.rule = {.end_ns = UINT64_MAX,
                  .below = uint64_t{1} << 32,
                  .skip = 0,
                  .times = 0,
                  .error = -error,
                  .conditions = 0,
                  .condition = {}};
    return order;
  }
  std::unique_ptr<CallRule> Add(const CallOrder& order) {
    auto rule = engine_->Add(order);
    EXPECT_TRUE(rule.ok()) << rule.status();
    return rule.ok() ? *std::move(rule) : nullptr;
  }

  SyscallEngine* engine_ = nullptr;
  std::optional<test::TestCgroup> cgroup_;
  std::optional<CallTarget> target_, neighbour_;
};

TEST_P(SyscallEngineTest, FailsForTheTargetAloneAndByItsCallAlone) {
  ASSERT_EQ(target_->Do(0), Unhurt());
  auto rule = Add(Order(EXDEV));
  ASSERT_NE(rule, nullptr);
  EXPECT_EQ(target_->Do(0), -EXDEV);
  EXPECT_EQ(target_->Do(1), 0);
  EXPECT_EQ(neighbour_->Do(0), Unhurt());
  rule.reset();
  EXPECT_EQ(target_->Do(0), Unhurt());
}

TEST_P(SyscallEngineTest, CountsWhatItDoes) {
  auto rule = Add(Order(EXDEV));
  ASSERT_NE(rule, nullptr);
  EXPECT_EQ(target_->Count(0, -EXDEV, 50), 50);
  target_->Do(1);
  neighbour_->Do(0);
  rule->End();
  target_->Do(0);
  const auto counts = rule->Counts();
  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_EQ(counts->seen, 50u);
  EXPECT_EQ(counts->matched, 50u);
  EXPECT_EQ(counts->affected, 50u);
}

TEST_P(SyscallEngineTest, KnowsASingleProcess) {
  CallOrder order = Order(EXDEV);
  order.scope = ProcessScope();
  CallTarget other(Deeds());
  cgroup_->Add(other.pid());
  auto rule = Add(order);
  ASSERT_NE(rule, nullptr);
  EXPECT_EQ(target_->Do(0), -EXDEV);
  EXPECT_EQ(other.Do(0), Unhurt());
  EXPECT_EQ(neighbour_->Do(0), Unhurt());
}

TEST_P(SyscallEngineTest, SeesGroupsBelowTheTarget) {
  const std::string below = cgroup_->path() + "/below";
  ASSERT_EQ(::mkdir(below.c_str(), 0700), 0);
  CallTarget inner(Deeds());
  std::ofstream(below + "/cgroup.procs") << inner.pid() << std::flush;
  auto rule = Add(Order(EXDEV));
  ASSERT_NE(rule, nullptr);
  EXPECT_EQ(inner.Do(0), -EXDEV);
  rule.reset();
  inner.Kill();
  for (int i = 0; i < 100 && ::rmdir(below.c_str()) != 0; ++i) ::usleep(10'000);
}

TEST_P(SyscallEngineTest, HitsTheShareOfCallsThatWasAsked) {
  CallOrder order = Order(EXDEV);
  order.rule.below = (uint64_t{1} << 32) / 4;
  auto rule = Add(order);
  ASSERT_NE(rule, nullptr);
  // 25 % of 2000: eight standard deviations are 155.
  EXPECT_NEAR(target_->Count(0, -EXDEV, 2000), 500, 155);
}

TEST_P(SyscallEngineTest, SkipsAndCountsDown) {
  CallOrder order = Order(EXDEV);
  order.rule.skip = 3;
  order.rule.times = 2;
  auto rule = Add(order);
  ASSERT_NE(rule, nullptr);
  std::vector<long> results;
  for (int i = 0; i < 8; ++i) results.push_back(target_->Do(0));
  const long ok = Unhurt();
  EXPECT_THAT(results, testing::ElementsAre(ok, ok, ok, -EXDEV, -EXDEV, ok, ok, ok));
  EXPECT_EQ(rule->Counts()->matched, 8u);
  EXPECT_EQ(rule->Counts()->affected, 2u);
}

TEST_P(SyscallEngineTest, EndsAtItsDeadlineAndWithoutALease) {
  CallOrder order = Order(EXDEV);
  order.rule.end_ns = loader::BootTimeNs();
  auto over = Add(order);
  ASSERT_NE(over, nullptr);
  EXPECT_EQ(target_->Do(0), Unhurt());
  auto live = Add(Order(EMFILE));
  EXPECT_EQ(target_->Do(0), -EMFILE);
  engine_->SetLease(loader::BootTimeNs());
  EXPECT_EQ(target_->Do(0), Unhurt());
  engine_->SetLease(loader::BootTimeNs() + 600 * kSecond);
  EXPECT_EQ(target_->Do(0), -EMFILE);
}

TEST_P(SyscallEngineTest, FirstOfTwoRulesDecidesAndTheOtherStays) {
  auto first = Add(Order(EXDEV));
  auto second = Add(Order(EMFILE));
  ASSERT_TRUE(first != nullptr && second != nullptr);
  EXPECT_EQ(target_->Do(0), -EXDEV);
  first.reset();
  EXPECT_EQ(target_->Do(0), -EMFILE);
  EXPECT_EQ(second->Counts()->seen, 1u);
}

TEST_P(SyscallEngineTest, BoundsTheRulesOfOneCall) {
  std::vector<std::unique_ptr<CallRule>> rules;
  for (int i = 0; i < SABOT_CALL_RULES; ++i) rules.push_back(Add(Order(EXDEV)));
  auto one_more = engine_->Add(Order(EXDEV));
  EXPECT_EQ(one_more.status().code(), absl::StatusCode::kResourceExhausted) << one_more.status();
  rules.clear();
  EXPECT_EQ(target_->Do(0), Unhurt());
  auto again = Add(Order(EXDEV));
  EXPECT_EQ(target_->Do(0), -EXDEV);
}

TEST_P(SyscallEngineTest, LeavesOutWhatItCannotMeetOnlyIfAllowed) {
  CallOrder order = Order(EXDEV);
  order.calls.push_back("io_cancel");
  if (GetParam() == CallRung::kOverride || GetParam() == CallRung::kFmodRet) {
    order.calls.back() = "query_module";  // has a number and no function
  }
  auto strict = engine_->Add(order);
  EXPECT_EQ(strict.status().code(), absl::StatusCode::kUnimplemented) << strict.status();
  EXPECT_EQ(target_->Do(0), Unhurt());
  order.best_effort = true;
  auto rule = Add(order);
  ASSERT_NE(rule, nullptr);
  EXPECT_THAT(rule->left_out(), testing::ElementsAre(order.calls.back()));
  EXPECT_EQ(target_->Do(0), -EXDEV);
}

TEST_P(SyscallEngineTest, FollowsATaskThatLeavesAndComesBack) {
  auto rule = Add(Order(EXDEV));
  ASSERT_NE(rule, nullptr);
  test::TestCgroup elsewhere("elsewhere");
  elsewhere.Add(target_->pid());
  EXPECT_EQ(target_->Do(0), Unhurt());
  cgroup_->Add(target_->pid());
  EXPECT_EQ(target_->Do(0), -EXDEV);
  target_->Kill();
}

// Where arguments are known.
class SyscallArguments : public SyscallEngineTest {};

TEST_P(SyscallArguments, LooksAtArguments) {
  CallTarget target(
      {[] { return Result(::syscall(SYS_openat, AT_FDCWD, "/dev/null", O_WRONLY)); },
       [] { return std::min(0L, Result(::syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY))); }});
  CallOrder order = Order(EACCES);
  order.scope = {.kind = SABOT_SCOPE_PROCESS, .id = static_cast<uint64_t>(target.pid()), .levels = 0};
  order.rule.conditions = 2;
  order.rule.condition[1] = order.rule.condition[2] = order.rule.condition[3] = kAlways;
  order.rule.condition[0] = {.mask = O_ACCMODE, .value = O_WRONLY, .argument = 2, .accept = SABOT_IS_EQUAL};
  order.rule.condition[1] = {
      .mask = 0xffffffff, .value = static_cast<uint32_t>(AT_FDCWD), .argument = 0, .accept = SABOT_IS_EQUAL};
  auto rule = Add(order);
  ASSERT_NE(rule, nullptr);
  EXPECT_EQ(target.Do(0), -EACCES);
  EXPECT_EQ(target.Do(1), 0);
  EXPECT_EQ(rule->Counts()->seen, 2u);
  EXPECT_EQ(rule->Counts()->matched, 1u);
}

struct Comparison {
  uint32_t accept;
  uint64_t value;
  bool fits;
};

TEST_P(SyscallArguments, ComparesAsAsked) {
  // The third argument is O_CLOEXEC.
  constexpr uint64_t kIs = O_RDONLY | O_CLOEXEC;
  for (const Comparison& one : {Comparison{SABOT_IS_EQUAL, kIs, true},
                                {SABOT_IS_EQUAL, kIs + 1, false},
                                {SABOT_IS_LESS | SABOT_IS_GREATER, kIs, false},
                                {SABOT_IS_LESS | SABOT_IS_GREATER, 0, true},
                                {SABOT_IS_LESS, kIs + 1, true},
                                {SABOT_IS_LESS, kIs, false},
                                {SABOT_IS_GREATER, kIs - 1, true},
                                {SABOT_IS_GREATER, kIs, false}}) {
    CallOrder order = Order(EACCES);
    order.rule.conditions = 1;
    order.rule.condition[1] = order.rule.condition[2] = order.rule.condition[3] = kAlways;
    order.rule.condition[0] = {.mask = ~0ull, .value = one.value, .argument = 2, .accept = one.accept};
    auto rule = Add(order);
    ASSERT_NE(rule, nullptr);
    EXPECT_EQ(target_->Do(0), one.fits ? -EACCES : 0) << one.accept << " " << one.value;
  }
}

// A 32-bit system call: open of a path below 4 GiB.
long Compat(long number, long first, long second, long third) {
  long result;
  asm volatile("int $0x80" : "=a"(result) : "a"(number), "b"(first), "c"(second), "d"(third) : "memory");
  return result;
}

// The kernel that has the other mechanisms is built without 32-bit system calls.
class SyscallsOf32Bit : public SyscallEngineTest {};

TEST_P(SyscallsOf32Bit, AreMet) {
  const CallNumbers numbers = NumbersOf("openat");
  ASSERT_TRUE(numbers.compat);
  void* low = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  ASSERT_NE(low, MAP_FAILED);
  ::strcpy(static_cast<char*>(low), "/dev/null");
  const auto path = reinterpret_cast<long>(low);
  const long number = *numbers.compat;
  CallTarget target({[=] { return Compat(number, AT_FDCWD, path, O_RDONLY | O_CLOEXEC); },
                     [=] { return Compat(20 /* getpid */, 0, 0, 0) > 0 ? 0L : -1L; }});
  int status = 0;
  if (::pid_t child = ::fork(); child == 0) {
    Compat(20, 0, 0, 0);
    ::_exit(0);
  } else {
    ::waitpid(child, &status, 0);
  }
  if (!WIFEXITED(status)) GTEST_SKIP() << "this kernel runs no 32-bit system calls";
  ASSERT_GE(target.Do(0), 0);
  CallOrder order = Order(EDOM);
  order.scope = {.kind = SABOT_SCOPE_PROCESS, .id = static_cast<uint64_t>(target.pid()), .levels = 0};
  order.rule.conditions = 1;
  order.rule.condition[1] = order.rule.condition[2] = order.rule.condition[3] = kAlways;
  order.rule.condition[0] = {
      .mask = ~0ull, .value = static_cast<uint64_t>(path), .argument = 1, .accept = SABOT_IS_EQUAL};
  auto rule = Add(order);
  ASSERT_NE(rule, nullptr);
  EXPECT_EQ(target.Do(0), -EDOM);
  EXPECT_EQ(target.Do(1), 0);
  ::munmap(low, 4096);
}

std::string NameOf(const testing::TestParamInfo<CallRung>& info) {
  constexpr const char* kNames[] = {"override", "fmod_ret", "security", "cgroup"};
  return kNames[static_cast<int>(info.param)];
}

INSTANTIATE_TEST_SUITE_P(All, SyscallEngineTest,
                         testing::Values(CallRung::kOverride, CallRung::kFmodRet, CallRung::kSecurity,
                                         CallRung::kCgroup),
                         NameOf);
INSTANTIATE_TEST_SUITE_P(All, SyscallArguments,
                         testing::Values(CallRung::kOverride, CallRung::kFmodRet, CallRung::kSecurity),
                         NameOf);
INSTANTIATE_TEST_SUITE_P(All, SyscallsOf32Bit, testing::Values(CallRung::kSecurity), NameOf);

}  // namespace
}  // namespace sabot::agent
