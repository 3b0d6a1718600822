// SPDX-License-Identifier: Apache-2.0
//
// How the fault ends: by itself, when asked, and when what runs it is stopped or killed.
#include <signal.h>

#include <algorithm>
#include <vector>

#include "gtest/gtest.h"
#include "tests/host/property.h"
#include "tests/support/clock.h"
#include "tests/support/process_table.h"
#include "tests/support/require.h"
#include "tests/support/udp_probe.h"

namespace sabot::test {
namespace {

// The lease that the agent renews is 3 s; one second more is allowed for noticing.
constexpr absl::Duration kLetGo = absl::Seconds(4);
// Consecutive datagrams (of 500 a second) that decide whether the fault acts.
constexpr int kRun = 40;
// A datagram that has not arrived after this long is lost and not merely delayed.
constexpr absl::Duration kPatience = absl::Milliseconds(400);

// A stream from the target to the peer while a strong fault comes and goes.
class Watch {
 public:
  explicit Watch(Scenario& scenario)
      : scenario_(scenario), stream_(scenario.network().target, scenario.network().peer, Family::kIpv4) {}

  void ExpectActing() {
    EXPECT_TRUE(stream_.WaitUntilLast(
        kRun, [this](const Datagram& datagram) { return IsHit(scenario_.effect(), datagram); },
        Scaled(absl::Seconds(3)), kPatience))
        << "the fault does not act";
  }
  void ExpectGone(absl::Duration within) {
    EXPECT_TRUE(stream_.WaitUntilLast(
        kRun, [this](const Datagram& datagram) { return IsUnhurt(scenario_.effect(), datagram); },
        within + Scaled(absl::Seconds(1)), kPatience))
        << "the fault still acts";
  }
  // After this time datagrams arrive again, none later than the effect asks for and a tenth of a second.
  void ExpectFlowing(absl::Duration after) {
    int64_t at_most_ns =
        scenario_.effect().strong_delay_ns + absl::ToInt64Nanoseconds(Scaled(absl::Milliseconds(100)));
    SleepUntilNs(NowNs() + absl::ToInt64Nanoseconds(after));
    EXPECT_TRUE(stream_.WaitUntilLast(
        kRun,
        [&](const Datagram& datagram) {
          return datagram.received_ns != 0 && datagram.delay_ns() <= at_most_ns;
        },
        Scaled(absl::Seconds(2)), kPatience))
        << "packets wait for a helper that is gone";
  }
  // When the first and the last datagram that was hit were sent.
  struct Span {
    int64_t first_ns = 0, last_ns = 0;
    std::string text;
  };
  Span Stop() {
    Tally tally = stream_.Stop();
    Span span{.text = tally.Describe()};
    for (const Datagram& datagram : tally.datagrams) {
      if (!IsHit(scenario_.effect(), datagram)) continue;
      if (span.first_ns == 0) span.first_ns = datagram.sent_ns;
      span.last_ns = datagram.sent_ns;
    }
    return span;
  }

 private:
  Scenario& scenario_;
  UdpStream stream_;
};

void ExpectLetGoSince(Watch& watch, int64_t since_ns) {
  watch.ExpectGone(kLetGo);
  Watch::Span span = watch.Stop();
  EXPECT_LE(span.last_ns - since_ns, absl::ToInt64Nanoseconds(kLetGo))
      << "the fault acted too long; " << span.text;
}

void ExpectUndo(Scenario& scenario) {
  Finished undo = scenario.cli().Run({"undo"});
  EXPECT_EQ(undo.exit_code, 0) << undo.out << undo.err;
}

void LetsGoOn(Scenario& scenario, int signal) {
  TestNetwork& network = scenario.network();
  auto run = scenario.Inject(scenario.Strong());
  scenario.ExpectHit(network.target, network.peer);
  int64_t signalled_ns = NowNs();
  run->Signal(signal);
  scenario.ExpectGoodEnd(run->End(absl::Seconds(4)), "Recovered");
  EXPECT_LE(NowNs() - signalled_ns, absl::ToInt64Nanoseconds(Scaled(absl::Seconds(2))));
  scenario.ExpectUnhurt(network.target, network.peer);
}

// The helper goes, or stays and answers no more. Packets must not wait for it: soon they pass, undelayed or
// (by a new helper) as delayed as was asked. And it is no secret: the run goes on and acts, or it ends and
// says why.
void HelperGets(Scenario& scenario, int signal) {
  Watch watch(scenario);
  auto run = scenario.Inject(scenario.Strong());
  watch.ExpectActing();
  std::vector<pid_t> helpers = ChildrenOf(run->pid());
  ASSERT_FALSE(helpers.empty()) << "the rung has a helper process, but sabot has no children";
  for (pid_t helper : helpers) ::kill(helper, signal);
  watch.ExpectFlowing(kLetGo);
  if (run->running()) {
    watch.ExpectActing();
    scenario.ExpectGoodEnd(run->Interrupt(), "Recovered");
  } else {
    RunEnd end = run->End();
    EXPECT_EQ(end.exit_code, 1) << end.Describe();
    ASSERT_FALSE(end.faults.empty()) << end.Describe();
    EXPECT_FALSE(end.faults.front().message.empty()) << end.Describe();
  }
  for (pid_t helper : helpers) EXPECT_NE(::kill(helper, 0), 0) << "the old helper is still there";
}

}  // namespace

// The duration begins when the fault is received: injecting it (starting a helper, say) is part of it. So the
// time that was left when the run said "injected" is the time that the fault acts.
void EndsAtItsDeadline(Scenario& scenario) {
  NetworkChaos chaos = scenario.Strong();
  chaos.duration = TimeScale() > 1 ? "4s" : "2s";
  Watch watch(scenario);
  FaultReport injected;
  auto run = scenario.Inject(chaos, &injected);
  scenario.ExpectGoodEnd(run->End(absl::Seconds(8)), "Expired");
  watch.ExpectGone(absl::ZeroDuration());
  Watch::Span span = watch.Stop();
  absl::Duration acted = absl::Nanoseconds(span.last_ns - span.first_ns);
  absl::Duration left = absl::Milliseconds(injected.expires_in_ms);
  EXPECT_GE(left, absl::Milliseconds(1500)) << "injecting took most of the duration";
  EXPECT_LE(left, absl::Seconds(4));
  // What is held at the deadline may be let go at once.
  absl::Duration held = absl::Nanoseconds(scenario.effect().strong_delay_ns);
  EXPECT_GE(acted, left - held - Scaled(absl::Milliseconds(200))) << span.text;
  EXPECT_LE(acted, left + Scaled(absl::Milliseconds(300))) << span.text;
}

void LetsGoWhenStopped(Scenario& scenario) {
  Watch watch(scenario);
  auto run = scenario.Inject(scenario.Strong());
  watch.ExpectActing();
  int64_t stopped_ns = NowNs();
  run->Signal(SIGSTOP);
  ExpectLetGoSince(watch, stopped_ns);
  run->Signal(SIGCONT);
  RunEnd end = run->Interrupt();
  EXPECT_FALSE(end.timed_out) << end.Describe();
  scenario.ExpectUnhurt(scenario.network().target, scenario.network().peer);
  ExpectUndo(scenario);
}

void LetsGoWhenKilled(Scenario& scenario) {
  Watch watch(scenario);
  auto run = scenario.Inject(scenario.Strong());
  watch.ExpectActing();
  int64_t killed_ns = NowNs();
  run->Signal(SIGKILL);
  ExpectLetGoSince(watch, killed_ns);
  run->End();
  ExpectUndo(scenario);
}

void RepairedByAFreshStart(Scenario& scenario) {
  TestNetwork& network = scenario.network();
  auto killed = scenario.Inject(scenario.Strong());
  scenario.ExpectHit(network.target, network.peer);
  killed->Signal(SIGKILL);
  killed->End();
  auto fresh = scenario.Inject(scenario.Strong());
  scenario.ExpectHit(network.target, network.peer);
  scenario.ExpectGoodEnd(fresh->Interrupt(), "Recovered");
  scenario.ExpectUnhurt(network.target, network.peer);
}

void LetsGoOnSigint(Scenario& scenario) { LetsGoOn(scenario, SIGINT); }

void LetsGoOnSigterm(Scenario& scenario) { LetsGoOn(scenario, SIGTERM); }

void LetsGoWhenItsHelperStops(Scenario& scenario) { HelperGets(scenario, SIGSTOP); }

void LetsGoWhenItsHelperDies(Scenario& scenario) { HelperGets(scenario, SIGKILL); }

}  // namespace sabot::test
