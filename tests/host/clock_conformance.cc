// SPDX-License-Identifier: Apache-2.0
#include "tests/host/clock_conformance.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/host/report.h"
#include "tests/support/cgroup.h"
#include "tests/support/clock.h"
#include "tests/support/clock_victim.h"
#include "tests/support/doctor.h"
#include "tests/support/host_snapshot.h"
#include "tests/support/sabot_cli.h"
#include "tests/support/sabot_run.h"

namespace sabot::test {
namespace {

constexpr const char* kMechanisms[] = {"vdso", "vdso-poll"};
constexpr const char* kSuite = "Clock/Skew";
constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kHour = 3600 * kSecond;
// The lease that the agent renews is 3 s; one second more is allowed for noticing.
constexpr absl::Duration kLetGo = absl::Seconds(4);

std::string Chaos(const std::string& name, const std::string& offset, const std::string& more = "",
                  const std::string& duration = "120s") {
  return absl::StrCat("apiVersion: chaos-mesh.org/v1alpha1\nkind: TimeChaos\nmetadata: {name: ", name,
                      "}\nspec:\n  mode: all\n  selector: {labelSelectors: {role: target}}\n  timeOffset: ",
                      offset, "\n  duration: ", duration, "\n", more);
}

// The binary, a target and a neighbour, and what the host was before.
class Stage {
 public:
  explicit Stage(std::string mechanism) : mechanism_(std::move(mechanism)), pristine_(target_.Vdso()) {}

  Victim& target() { return target_; }
  Victim& neighbour() { return neighbour_; }
  const SabotCli& cli() const { return cli_; }

  std::unique_ptr<SabotRun> Start(const std::vector<std::string>& manifests, const std::string& target = "") {
    std::vector<std::string> args;
    for (const std::string& manifest : manifests) {
      args.push_back(cli_.files().Write(absl::StrCat(args.size(), ".yaml"), manifest));
    }
    args.insert(
        args.end(),
        {"--mechanism", "clock=" + mechanism_, "--target",
         absl::StrCat("default/target=", target.empty() ? absl::StrCat("pid:", target_.pid()) : target,
                      ",role=target")});
    return std::make_unique<SabotRun>(cli_, args);
  }

  std::unique_ptr<SabotRun> Inject(const std::string& manifest, const std::string& target = "") {
    auto run = Start({manifest}, target);
    const FaultReport fault = run->WaitInjected().front();
    EXPECT_EQ(fault.mechanism, mechanism_) << fault.Describe();
    EXPECT_EQ(fault.kind, "clock/skew") << fault.Describe();
    return run;
  }

  static bool Becomes(Victim& victim, int64_t offset, absl::Duration within) {
    const int64_t end = NowNs() + absl::ToInt64Nanoseconds(within);
    do {
      if (victim.ClockGettime(CLOCK_REALTIME).Is(offset)) return true;
      ::usleep(2000);
    } while (NowNs() < end);
    return false;
  }
  // A process that gets no processor to stop on is changed a little later than the fault is injected.
  void ExpectOffset(int64_t offset) {
    if (offset != 0 && Becomes(target_, offset, Scaled(absl::Seconds(2)))) return;
    const Reading reading = target_.ClockGettime(CLOCK_REALTIME);
    EXPECT_TRUE(reading.Is(offset)) << "the clock is off by " << reading.Offset() << " ns, not by " << offset;
  }
  void ExpectNeighbourTrue() { EXPECT_EQ(neighbour_.ClockGettime(CLOCK_REALTIME).Offset(), 0); }
  void ExpectGoodEnd(const RunEnd& end, const std::string& phase) {
    EXPECT_EQ(end.exit_code, 0) << end.Describe();
    EXPECT_TRUE(end.has_ended_event) << end.Describe();
    for (const FaultReport& fault : end.faults) EXPECT_EQ(fault.phase, phase) << fault.Describe();
  }
  // Nothing is left in the target, nor on the host.
  void ExpectAsBefore() {
    ExpectOffset(0);
    EXPECT_TRUE(target_.Vdso() == pristine_) << "the target's vDSO is not what it was";
    EXPECT_TRUE(neighbour_.Vdso() == pristine_) << "the neighbour's vDSO is not what it was";
    const std::vector<std::string> difference = DifferenceSince(before_, scope_);
    EXPECT_TRUE(difference.empty()) << "the host is not what it was:\n" << absl::StrJoin(difference, "\n");
    Report::Get().NoteSnapshot("Skew." + mechanism_, difference.empty());
  }

 private:
  std::string mechanism_;
  SabotCli cli_;
  Victim target_, neighbour_;
  std::string pristine_;
  SnapshotScope scope_ = {.residents = {}, .state_dir = cli_.state_dir()};
  HostSnapshot before_ = HostSnapshot::Take(scope_);
};

void EffectMeasuredInside(const std::string& mechanism) {
  Stage stage(mechanism);
  Victim& target = stage.target();
  auto run = stage.Inject(Chaos("skew", "-10m100ns",
                                "  clockIds: [CLOCK_REALTIME, CLOCK_MONOTONIC, "
                                "CLOCK_PROCESS_CPUTIME_ID]\n"));
  constexpr int64_t kOffset = -600 * kSecond - 100;
  stage.ExpectOffset(kOffset);
  for (const clockid_t clock : {CLOCK_REALTIME, CLOCK_MONOTONIC}) {
    const Reading reading = target.ClockGettime(clock);
    EXPECT_TRUE(reading.Is(kOffset)) << clock << " is off by " << reading.Offset();
  }
  // Processor time is each process's own: the target's system calls tell what is true.
  Reading processor;
  processor.before = target.Syscall(CLOCK_PROCESS_CPUTIME_ID).seen;
  processor.seen = target.ClockGettime(CLOCK_PROCESS_CPUTIME_ID).seen;
  processor.after = target.Syscall(CLOCK_PROCESS_CPUTIME_ID).seen;
  EXPECT_TRUE(processor.Is(kOffset)) << "processor time is off by " << processor.Offset();
  EXPECT_TRUE(target.Gettimeofday().Is(kOffset, 1000));
  EXPECT_TRUE(target.Time().Is(kOffset, kSecond));
  for (const clockid_t clock : {CLOCK_BOOTTIME, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE}) {
    EXPECT_EQ(target.ClockGettime(clock).Offset(), 0) << clock;
  }
  stage.ExpectNeighbourTrue();
  stage.ExpectGoodEnd(run->Interrupt(), "Recovered");
  for (const clockid_t clock : {CLOCK_REALTIME, CLOCK_MONOTONIC}) {
    EXPECT_EQ(target.ClockGettime(clock).Offset(), 0) << clock;
  }
  stage.ExpectAsBefore();
}

// The time that a program reads which a process of the target starts now.
int64_t TimeOfNewProgram(Stage& stage, const std::string& file) {
  // Python takes longer to start than a new program needs to be found.
  const std::string path = stage.cli().files().Write(file, "");
  EXPECT_EQ(
      stage.target().Run("exec python3 -c 'import time; time.sleep(.1); print(time.time_ns())' >" + path), 0);
  int64_t seen = 0;
  std::ifstream(path) >> seen;
  return seen;
}

void NewProcesses(const std::string& mechanism) {
  Stage stage(mechanism);
  auto run = stage.Inject(Chaos("skew", "1h"));
  const auto true_now = [] {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * kSecond + now.tv_nsec;
  };
  const int64_t before = true_now();
  const int64_t seen = TimeOfNewProgram(stage, "during");
  EXPECT_GE(seen, before + kHour);
  EXPECT_LE(seen, true_now() + kHour);
  const auto report =
      run->WaitReport([](const FaultReport& fault) { return fault.affected >= 2; }, absl::Seconds(5));
  EXPECT_TRUE(report.has_value()) << "the new program is not counted";
  stage.ExpectGoodEnd(run->Interrupt(), "Recovered");
  const int64_t later = true_now();
  const int64_t after = TimeOfNewProgram(stage, "after");
  EXPECT_GE(after, later);
  EXPECT_LE(after, true_now());
  stage.ExpectAsBefore();
}

void ControlGroup(const std::string& mechanism) {
  TestCgroup group("clock");
  Stage stage(mechanism);
  auto member = std::make_unique<Victim>();
  group.Add(stage.target().pid());
  group.Add(member->pid());
  auto run = stage.Inject(Chaos("skew", "1h"), "cgroup:" + group.path());
  stage.ExpectOffset(kHour);
  EXPECT_TRUE(Stage::Becomes(*member, kHour, Scaled(absl::Seconds(2))));
  auto newcomer = std::make_unique<Victim>();
  EXPECT_EQ(newcomer->ClockGettime(CLOCK_REALTIME).Offset(), 0);
  group.Add(newcomer->pid());
  EXPECT_TRUE(Stage::Becomes(*newcomer, kHour, absl::Seconds(2) + Scaled(absl::Seconds(1))));
  stage.ExpectNeighbourTrue();
  const auto report = run->WaitReport(
      [](const FaultReport& fault) { return fault.seen == 3 && fault.matched == 3 && fault.affected == 3; },
      absl::Seconds(4));
  EXPECT_TRUE(report.has_value()) << "three processes are hit, and the counters do not say so";
  stage.ExpectGoodEnd(run->Interrupt(), "Recovered");
  EXPECT_EQ(member->ClockGettime(CLOCK_REALTIME).Offset(), 0);
  EXPECT_EQ(newcomer->ClockGettime(CLOCK_REALTIME).Offset(), 0);
  member.reset();
  newcomer.reset();
  stage.ExpectAsBefore();
}

void TwoFaultsActAndLeaveIndependently(const std::string& mechanism) {
  Stage stage(mechanism);
  const std::string seconds = absl::StrCat(static_cast<int>(2 + TimeScale() / 2), "s");
  auto run = stage.Start({Chaos("first", "1h", "", seconds), Chaos("second", "-30m")});
  run->WaitInjected(2);
  stage.ExpectOffset(kHour / 2);
  const auto report = run->WaitReport(
      [](const FaultReport& fault) {
        return fault.experiment.find("first") != std::string::npos && fault.phase == "Expired";
      },
      absl::Seconds(10));
  EXPECT_TRUE(report.has_value()) << "the first experiment never ended";
  stage.ExpectOffset(-kHour / 2);
  const RunEnd end = run->Interrupt();
  EXPECT_EQ(end.exit_code, 0) << end.Describe();
  stage.ExpectAsBefore();
}

void EndsAtItsDeadline(const std::string& mechanism) {
  Stage stage(mechanism);
  const int seconds = static_cast<int>(2 + TimeScale() / 2);
  auto run = stage.Start({Chaos("skew", "1h", "", absl::StrCat(seconds, "s"))});
  const FaultReport fault = run->WaitInjected().front();
  const int64_t told = NowNs();
  stage.ExpectOffset(kHour);
  // Nobody is there to end it.
  run->Signal(SIGSTOP);
  EXPECT_TRUE(Stage::Becomes(stage.target(), 0, absl::Seconds(seconds) + Scaled(absl::Seconds(1))));
  const int64_t lived = NowNs() - told;
  // Where the duration had to be long, the lease is over first; up to a second of it was used before the
  // stop.
  const int64_t least_ms = std::min<int64_t>(static_cast<int64_t>(fault.expires_in_ms), 1900);
  EXPECT_GE(lived, least_ms * 1'000'000 - absl::ToInt64Nanoseconds(Scaled(absl::Milliseconds(300))));
  run->Signal(SIGCONT);
  stage.ExpectGoodEnd(run->End(), "Expired");
  stage.ExpectAsBefore();
}

void LetsGoWhenStopped(const std::string& mechanism) {
  Stage stage(mechanism);
  auto run = stage.Inject(Chaos("skew", "1h"));
  stage.ExpectOffset(kHour);
  run->Signal(SIGSTOP);
  EXPECT_TRUE(Stage::Becomes(stage.target(), 0, kLetGo + Scaled(absl::Seconds(1))));
  run->Signal(SIGCONT);
  stage.ExpectGoodEnd(run->Interrupt(), "Recovered");
  stage.ExpectAsBefore();
}

void LetsGoWhenKilled(const std::string& mechanism) {
  Stage stage(mechanism);
  auto run = stage.Inject(Chaos("skew", "1h"));
  stage.ExpectOffset(kHour);
  run->Signal(SIGKILL);
  (void)run->End();
  EXPECT_TRUE(Stage::Becomes(stage.target(), 0, kLetGo + Scaled(absl::Seconds(1))));
  const Finished undo = stage.cli().Run({"undo"});
  EXPECT_EQ(undo.exit_code, 0) << undo.out << undo.err;
  stage.ExpectAsBefore();
}

void RepairedByAFreshStart(const std::string& mechanism) {
  Stage stage(mechanism);
  auto run = stage.Inject(Chaos("skew", "1h"));
  run->Signal(SIGKILL);
  (void)run->End();
  // At once: what the dead one left still acts.
  run = stage.Inject(Chaos("other", "2h"), absl::StrCat("pid:", stage.neighbour().pid()));
  stage.ExpectOffset(0);
  EXPECT_TRUE(Stage::Becomes(stage.neighbour(), 2 * kHour, Scaled(absl::Seconds(2))));
  stage.ExpectGoodEnd(run->Interrupt(), "Recovered");
  stage.ExpectAsBefore();
}

class ClockTest : public testing::Test {
 public:
  ClockTest(std::string mechanism, const ClockProperty& property)
      : mechanism_(std::move(mechanism)), property_(property) {}

  // No kernel that Sabot is tested on may lack this: a rung that is not usable is a failure, not a skip.
  void TestBody() override {
    static const nlohmann::json doctor = SabotCli().Json({"doctor"});
    const RungVerdict verdict = VerdictOn(doctor, "skew", mechanism_, "clock");
    ASSERT_TRUE(verdict.listed) << "`sabot doctor` does not list the rung " << mechanism_;
    ASSERT_TRUE(verdict.usable) << verdict.why;
    property_.check(mechanism_);
  }

 private:
  std::string mechanism_;
  const ClockProperty& property_;
};

}  // namespace

const std::vector<ClockProperty>& ClockProperties() {
  static const std::vector<ClockProperty> properties = {
      {"EffectMeasuredInside", "effect", EffectMeasuredInside},
      {"NewProcesses", "new", NewProcesses},
      {"ControlGroup", "cgroup", ControlGroup},
      {"TwoFaultsActAndLeaveIndependently", "two", TwoFaultsActAndLeaveIndependently},
      {"EndsAtItsDeadline", "deadline", EndsAtItsDeadline},
      {"LetsGoWhenStopped", "stopped", LetsGoWhenStopped},
      {"LetsGoWhenKilled", "killed", LetsGoWhenKilled},
      {"RepairedByAFreshStart", "restart", RepairedByAFreshStart},
  };
  return properties;
}

void RegisterClockTests() {
  for (const char* mechanism : kMechanisms) {
    for (const ClockProperty& property : ClockProperties()) {
      testing::RegisterTest(
          kSuite, absl::StrCat(mechanism, ".", property.name).c_str(), nullptr, nullptr, __FILE__, __LINE__,
          [mechanism, &property]() -> testing::Test* { return new ClockTest(mechanism, property); });
    }
  }
}

void NoteClockTest(const testing::TestInfo& test) {
  if (std::string(kSuite) != test.test_suite_name()) return;
  for (const char* mechanism : kMechanisms) {
    for (const ClockProperty& property : ClockProperties()) {
      if (absl::StrCat(mechanism, ".", property.name) != test.name()) continue;
      Report::Get().Note(absl::StrCat("Skew.", mechanism), property.column, *test.result());
    }
  }
}

}  // namespace sabot::test
