// SPDX-License-Identifier: Apache-2.0
//
// Bad targets and bad options.
#include <signal.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/host/cli_fixture.h"
#include "tests/support/clock.h"
#include "tests/support/udp_probe.h"

namespace sabot::test {
namespace {

using CliBadTarget = CliTest;

void GiveADevice(const Resident& resident) {
  resident.Run({"ip", "-batch", "-"},
               "link add eth0 type veth peer name eth1\nlink set eth0 up\nlink set eth1 up\n");
}

TEST_F(CliBadTarget, SelectorMatchesNothing) {
  std::string path =
      Write("nobody.yaml", absl::StrReplaceAll(Chaos().Yaml(), {{"app: target", "app: somebody-else"}}));
  ExpectRefusal(RunFile(path), 2, {"selector"});
}

TEST_F(CliBadTarget, NoTargetAtAll) { ExpectRefusal(cli_.Run({"run", GoodFile()}), 2, {"--target"}); }

// What `--target` says is input like the manifest is: not found is not good.
TEST_F(CliBadTarget, ThatDoesNotExist) {
  for (const char* value :
       {"netns:/proc/4194300/ns/net", "netns:no-such-namespace", "pid:4194300", "cgroup:/sabot-no-such-group",
        "unit:sabot-no-such.service", "container:0123456789ab"}) {
    SCOPED_TRACE(value);
    Finished finished =
        cli_.Run({"run", GoodFile(), "--target", absl::StrCat("target=", value, ",app=target")});
    EXPECT_TRUE(finished.exit_code == 1 || finished.exit_code == 2) << finished.exit_code << finished.err;
    EXPECT_NE(finished.err.find("default/target"), std::string::npos) << finished.out << finished.err;
  }
}

TEST_F(CliBadTarget, ThatCannotBeRead) {
  for (const char* value :
       {"", "target", "target=", "target=pid", "target=pid:", "target=pid:x", "target=pid:0", "target=pid:-1",
        "target=pid:99999999999", "target=toaster:1", "=pid:1", "a/b/c=pid:1"}) {
    SCOPED_TRACE(value);
    ExpectRefusal(cli_.Run({"run", GoodFile(), "--target", value}), 2, {"--target"});
  }
}

TEST_F(CliBadTarget, GivenTwice) {
  ExpectRefusal(cli_.Run({"run", GoodFile(), "--target", Target(), "--target", Target()}), 2, {"target"});
}

// The process goes at some moment between plan and injection, or shortly after: no crash, no hang, no
// residue, and never a good end.
TEST_F(CliBadTarget, DiesBetweenPlanAndInject) {
  std::string path = GoodFile();
  for (int delay_ms : {0, 5, 10, 20, 40, 80, 160}) {
    SCOPED_TRACE(delay_ms);
    Resident victim("victim");
    GiveADevice(victim);
    SabotRun run(cli_, {path, "--target", TargetByPid("target", victim.pid())});
    ::usleep(static_cast<useconds_t>(delay_ms * 1000 * TimeScale()));
    victim.Kill();
    RunEnd end = run.End(absl::Seconds(8));
    EXPECT_FALSE(end.timed_out) << "it goes on without its target; " << end.Describe();
    EXPECT_TRUE(end.exit_code == 1 || end.exit_code == 2) << end.Describe();
  }
}

TEST_F(CliBadTarget, DiesWhileTheFaultActs) {
  Resident victim("victim");
  GiveADevice(victim);
  SabotRun run(cli_, {GoodFile(), "--target", TargetByPid("target", victim.pid())});
  run.WaitInjected();
  victim.Kill();
  RunEnd end = run.End(absl::Seconds(8));
  EXPECT_FALSE(end.timed_out) << end.Describe();
  EXPECT_EQ(end.exit_code, 1) << end.Describe();
  ASSERT_EQ(end.faults.size(), 1U) << end.Describe();
  EXPECT_EQ(end.faults[0].phase, "Lost") << end.Describe();
  EXPECT_FALSE(end.faults[0].message.empty());
}

// The machine's own network is not to be touched unasked. The peer is an address that nobody has.
TEST_F(CliBadTarget, LivesInTheMachinesOwnNetwork) {
  Subprocess local({.argv = {"sleep", "60"}});
  NetworkChaos chaos = Chaos();
  chaos.external_targets = {"203.0.113.1/32"};
  SabotRun run(cli_, {Write("host.yaml", chaos.Yaml()), "--target", TargetByPid("target", local.pid()),
                      "--duration", "2s"});
  RunEnd end = run.End();
  EXPECT_TRUE(end.exit_code == 1 || end.exit_code == 2) << end.Describe();
  std::string said = end.Describe();
  EXPECT_NE(said.find("--allow-host-network"), std::string::npos) << said;
  for (const FaultReport& fault : end.faults) EXPECT_EQ(fault.phase, "Rejected") << fault.Describe();
}

// Two runs on one target would undo each other; the second is told who is first, and the first goes on.
TEST_F(CliBadTarget, IsTakenByAnotherRun) {
  auto first = StartGood();
  NetworkChaos chaos = Chaos();
  chaos.name = "the-second";
  RunEnd second = SabotRun(cli_, {Write("second.yaml", chaos.Yaml()), "--target", Target()}).End();
  EXPECT_TRUE(second.exit_code == 1 || second.exit_code == 2) << second.Describe();
  EXPECT_NE(second.Describe().find("good.yaml"), std::string::npos)
      << "the first is not named: " << second.Describe();
  EXPECT_TRUE(first->running());
  EXPECT_FALSE(PeerAnswers()) << "the first fault ended with the second run";
  RunEnd end = first->Interrupt();
  EXPECT_EQ(end.exit_code, 0) << end.Describe();
}

using CliBadOption = CliTest;

TEST_F(CliBadOption, IsRefusedWithTheOptionsName) {
  std::string good = GoodFile();
  const std::pair<std::vector<std::string>, const char*> rows[] = {
      {{"run", good, "--target", Target(), "--duration", "0.5s"}, "duration"},
      {{"run", good, "--target", Target(), "--duration", "-5s"}, "duration"},
      {{"run", good, "--target", Target(), "--duration", "soon"}, "duration"},
      {{"run", good, "--target", Target(), "--mechanism", "network"}, "mechanism"},
      {{"run", good, "--target", Target(), "--mechanism", "network=magic"}, "magic"},
      {{"run", good, "--target", Target(), "--mechanism", "toaster=tcx"}, "toaster"},
      {{"run", good, "--target", Target(), "--no-feature", "magic"}, "magic"},
      {{"run", good, "--target", Target(), "-o", "xml"}, "xml"},
      {{"run", good, "--target", Target(), "--no-such-option"}, "no-such-option"},
      {{"run", good, "--target", Target(), "--inventory", "/nonexistent/inventory.yaml"},
       "/nonexistent/inventory.yaml"},
      {{"run", good, "--target", Target(), "--metrics", "nowhere"}, "nowhere"},
      {{"no-such-command"}, "no-such-command"},
  };
  for (const auto& [args, word] : rows) {
    SCOPED_TRACE(word);
    ExpectRefusal(cli_.Run(args), 2, {word});
  }
}

TEST_F(CliBadOption, RunWithoutAFile) { ExpectRefusal(cli_.Run({"run"}), 2, {}); }

TEST_F(CliBadOption, NoCommandShowsTheCommands) {
  Finished finished = cli_.Run({});
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_NE((finished.out + finished.err).find("doctor"), std::string::npos) << finished.out << finished.err;
}

}  // namespace
}  // namespace sabot::test
