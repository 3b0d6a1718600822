// SPDX-License-Identifier: Apache-2.0
#include "tests/host/syscall_rows.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/host/report.h"
#include "tests/support/call_target.h"
#include "tests/support/cgroup.h"
#include "tests/support/clock.h"
#include "tests/support/doctor.h"
#include "tests/support/host_snapshot.h"
#include "tests/support/sabot_cli.h"
#include "tests/support/sabot_run.h"

namespace sabot::test {
namespace {

constexpr const char* kSuite = "Syscall/Error";
constexpr const char* kEffect = "error";
constexpr const char* kMechanisms[] = {"override", "fmod_ret", "security", "cgroup"};

// What a mechanism is shown on: a call that it can meet, and one that must not be hit.
struct Shown {
  const char* call;
  Deed deed;
  long unhurt;  // what the deed answers without a fault
  Deed other;
};

long OpenNull() {
  const long fd = Result(::syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC));
  if (fd >= 0) ::close(static_cast<int>(fd));
  return std::min(fd, 0L);
}

long StatNull() {
  struct stat status;
  return Result(::stat("/dev/null", &status));
}

// To a port of loopback where nobody listens.
long Connect() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(1), .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
  const long result = Result(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)));
  ::close(fd);
  return result;
}

long SetOption() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  const long result = Result(::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
  ::close(fd);
  return result;
}

Shown ShownOn(const std::string& mechanism) {
  if (mechanism == "cgroup") return {"connect", Connect, -ECONNREFUSED, SetOption};
  return {"openat", OpenNull, 0, StatNull};
}

class Stage {
 public:
  explicit Stage(const std::string& mechanism)
      : mechanism_(mechanism),
        shown_(ShownOn(mechanism)),
        cgroup_("syscalls"),
        target_({shown_.deed, shown_.other}),
        neighbour_({shown_.deed, shown_.other}),
        scope_{{}, cli_.state_dir()},
        before_(HostSnapshot::Take(scope_)) {
    cgroup_.Add(target_.pid());
  }

  CallTarget& target() { return target_; }
  const Shown& shown() const { return shown_; }
  SabotCli& cli() { return cli_; }

  std::unique_ptr<SabotRun> Inject(const std::string& more = "duration: 120s") {
    const std::string yaml = absl::StrCat(
        "apiVersion: sabot.dev/v1alpha1\nkind: SyscallChaos\nmetadata: {name: fail}\nspec:\n  mode: all\n"
        "  selector: {labelSelectors: {app: target}}\n  action: errno\n  errno: EXDEV\n  syscalls: [",
        shown_.call, "]\n  ", more, "\n");
    auto run = std::make_unique<SabotRun>(
        cli_, std::vector<std::string>{cli_.files().Write("fail.yaml", yaml), "--target",
                                       absl::StrCat("target=cgroup:", cgroup_.path(), ",app=target"),
                                       "--mechanism", absl::StrCat("syscall=", mechanism_)});
    const FaultReport fault = run->WaitInjected(1, Scaled(absl::Seconds(10))).front();
    EXPECT_EQ(fault.mechanism, mechanism_) << fault.Describe();
    EXPECT_EQ(fault.kind, absl::StrCat("syscall/", kEffect)) << fault.Describe();
    EXPECT_EQ(fault.phase, "Injected") << fault.Describe();
    return run;
  }

  void ExpectHit(int times = 20) { EXPECT_EQ(target_.Count(0, -EXDEV, times), times); }
  void ExpectUnhurt(int times = 20) {
    EXPECT_EQ(target_.Count(0, shown_.unhurt, times), times);
    ExpectOthersUnhurt();
  }
  void ExpectOthersUnhurt() {
    EXPECT_EQ(target_.Do(1), 0) << "a call that was not named is hit";
    EXPECT_EQ(neighbour_.Count(0, shown_.unhurt, 20), 20) << "the neighbour is hit";
  }
  void ExpectLetsGoWithin(absl::Duration patience) {
    const int64_t end_ns = NowNs() + absl::ToInt64Nanoseconds(patience + Scaled(absl::Seconds(1)));
    while (target_.Do(0) != shown_.unhurt && NowNs() < end_ns) ::usleep(20'000);
    ExpectUnhurt();
  }
  void ExpectGoodEnd(const RunEnd& end, const std::string& phase) {
    EXPECT_EQ(end.exit_code, 0) << end.Describe();
    EXPECT_FALSE(end.faults.empty()) << end.Describe();
    for (const FaultReport& fault : end.faults) EXPECT_EQ(fault.phase, phase) << fault.Describe();
  }
  void ExpectHostAsBefore() {
    const auto difference = DifferenceSince(before_, scope_);
    EXPECT_TRUE(difference.empty()) << "the host is not what it was:\n" << absl::StrJoin(difference, "\n");
    Report::Get().NoteSnapshot(absl::StrCat("Error.", mechanism_), difference.empty());
  }

 private:
  std::string mechanism_;
  Shown shown_;
  SabotCli cli_;
  TestCgroup cgroup_;  // outlives its processes
  CallTarget target_, neighbour_;
  SnapshotScope scope_;
  HostSnapshot before_;
};

void EffectMeasuredInside(Stage& stage) {
  stage.ExpectUnhurt();
  auto run = stage.Inject();
  stage.ExpectHit(100);
  stage.ExpectOthersUnhurt();
  stage.ExpectHit();
  stage.ExpectGoodEnd(run->Interrupt(), "Recovered");
  stage.ExpectUnhurt();
}

void CountersAgree(Stage& stage) {
  constexpr int kCalls = 1000;
  auto run = stage.Inject("percent: 30");
  const int hit = stage.target().Count(0, -EXDEV, kCalls);
  // Eight standard deviations of 300 of 1000 are 116.
  EXPECT_NEAR(hit, 300, 116);
  const RunEnd end = run->Interrupt();
  stage.ExpectGoodEnd(end, "Recovered");
  EXPECT_EQ(end.Seen(), static_cast<uint64_t>(kCalls)) << end.Describe();
  EXPECT_EQ(end.Matched(), static_cast<uint64_t>(kCalls)) << end.Describe();
  EXPECT_EQ(end.Affected(), static_cast<uint64_t>(hit)) << end.Describe();
}

void SkipsAndCountsDown(Stage& stage) {
  auto run = stage.Inject("skip: 3\n  times: 2");
  std::vector<long> results;
  for (int i = 0; i < 8; ++i) results.push_back(stage.target().Do(0));
  const long ok = stage.shown().unhurt;
  EXPECT_EQ(results, (std::vector<long>{ok, ok, ok, -EXDEV, -EXDEV, ok, ok, ok}));
  stage.ExpectGoodEnd(run->Interrupt(), "Recovered");
}

void EndsAtItsDeadline(Stage& stage) {
  // An emulated processor loads programs for seconds, and the duration counts from before that.
  const auto seconds = static_cast<int>(3 + TimeScale() / 2);
  auto run = stage.Inject(absl::StrCat("duration: ", seconds, "s"));
  stage.ExpectHit();
  stage.ExpectLetsGoWithin(absl::Seconds(seconds));
  stage.ExpectGoodEnd(run->End(), "Expired");
}

// The lease is three seconds.
void LetsGoWhenStopped(Stage& stage) {
  auto run = stage.Inject();
  stage.ExpectHit();
  run->Signal(SIGSTOP);
  stage.ExpectLetsGoWithin(absl::Seconds(4));
  run->Signal(SIGCONT);
  stage.ExpectGoodEnd(run->Interrupt(), "Recovered");
}

void LetsGoWhenKilled(Stage& stage) {
  auto run = stage.Inject();
  stage.ExpectHit();
  run->Signal(SIGKILL);
  stage.ExpectLetsGoWithin(absl::Seconds(1));
  run->End();
  const Finished undo = stage.cli().Run({"undo"});
  EXPECT_EQ(undo.exit_code, 0) << undo.err;
}

struct Property {
  const char* name;
  const char* column;
  void (*check)(Stage& stage);
};
constexpr Property kProperties[] = {
    {"EffectMeasuredInside", "effect", EffectMeasuredInside},
    {"CountersAgree", "counters", CountersAgree},
    {"SkipsAndCountsDown", "skip", SkipsAndCountsDown},
    {"EndsAtItsDeadline", "deadline", EndsAtItsDeadline},
    {"LetsGoWhenStopped", "stopped", LetsGoWhenStopped},
    {"LetsGoWhenKilled", "killed", LetsGoWhenKilled},
};

class SyscallTest : public testing::Test {
 public:
  SyscallTest(const char* mechanism, const Property& property) : mechanism_(mechanism), property_(property) {}

  void TestBody() override {
    static const nlohmann::json doctor = SabotCli().Json({"doctor"});
    const RungVerdict verdict = VerdictOn(doctor, kEffect, mechanism_, "syscall");
    ASSERT_TRUE(verdict.listed) << "`sabot doctor` does not list the rung " << mechanism_;
    if (!verdict.usable) {
      const std::string refusal = KernelRefuses(mechanism_);
      ASSERT_FALSE(refusal.empty()) << "`sabot doctor` calls the rung unusable (" << verdict.why
                                    << "), but this kernel gives all that it is built on";
      GTEST_SKIP() << verdict.why << " (checked: " << refusal << ")";
    }
    Stage stage(mechanism_);
    property_.check(stage);
    stage.ExpectHostAsBefore();
  }

 private:
  const char* mechanism_;
  const Property& property_;
};

std::string NameOf(const char* mechanism, const Property& property) {
  return absl::StrCat(mechanism, ".", property.name);
}

}  // namespace

void RegisterSyscallTests() {
  for (const char* mechanism : kMechanisms) {
    for (const Property& property : kProperties) {
      testing::RegisterTest(
          kSuite, NameOf(mechanism, property).c_str(), nullptr, nullptr, __FILE__, __LINE__,
          [mechanism, &property]() -> SyscallTest* { return new SyscallTest(mechanism, property); });
    }
  }
}

void NoteSyscallTest(const testing::TestInfo& test) {
  if (std::string(test.test_suite_name()) != kSuite) return;
  for (const char* mechanism : kMechanisms) {
    for (const Property& property : kProperties) {
      if (NameOf(mechanism, property) != test.name()) continue;
      Report::Get().Note(absl::StrCat("Error.", mechanism), property.column, *test.result());
    }
  }
}

}  // namespace sabot::test
