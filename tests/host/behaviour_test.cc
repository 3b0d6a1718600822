// SPDX-License-Identifier: Apache-2.0
//
// What the commands do when all is well.
#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "tests/host/cli_fixture.h"
#include "tests/support/clock.h"
#include "tests/support/require.h"
#include "tests/support/udp_probe.h"

namespace sabot::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json FaultsIn(const json& status) { return status.value("faults", json("there is no list of faults")); }

uint16_t FreePort() {
  loader::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{
      .sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
  socklen_t length = sizeof(address);
  RequireSyscall(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), length), "bind");
  RequireSyscall(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length), "getsockname");
  return ntohs(address.sin_port);
}

// The whole answer to GET `path`, or "" when nobody listens.
std::string HttpGet(uint16_t port, const std::string& path) {
  loader::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) return "";
  timeval patience{.tv_sec = 5, .tv_usec = 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  std::string request =
      absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  ::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL);
  std::string answer;
  char buffer[4096];
  for (ssize_t n; (n = ::recv(fd.get(), buffer, sizeof(buffer), 0)) > 0;)
    answer.append(buffer, static_cast<size_t>(n));
  return answer;
}

using CliHelp = CliTest;

TEST_F(CliHelp, NamesEveryCommand) {
  Finished help = cli_.Run({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const char* command :
       {"run", "plan", "doctor", "status", "halt", "resume", "undo", "demo", "validate"}) {
    EXPECT_THAT(help.out, HasSubstr(command));
    Finished of_command = cli_.Run({command, "--help"});
    EXPECT_EQ(of_command.exit_code, 0) << command;
    EXPECT_GT(of_command.out.size(), 40U) << command;
  }
  Finished run = cli_.Run({"run", "--help"});
  for (const char* option : {"--target", "--inventory", "--duration", "--mechanism", "--no-feature",
                             "--metrics", "--allow-host-network", "-o"}) {
    EXPECT_THAT(run.out, HasSubstr(option));
  }
}

using CliDoctor = CliTest;

TEST_F(CliDoctor, GivesAReasonForEveryAnswer) {
  json doctor = cli_.Json({"doctor"});
  ASSERT_FALSE(doctor.value("features", json::array()).empty()) << doctor;
  for (const json& feature : doctor["features"]) {
    EXPECT_THAT(feature.value("answer", ""), testing::AnyOf("yes", "no", "denied", "unknown")) << feature;
    EXPECT_FALSE(feature.value("name", "").empty()) << feature;
    EXPECT_FALSE(feature.value("reason", "").empty()) << feature;
  }
  ASSERT_FALSE(doctor.value("ladders", json::array()).empty()) << doctor;
  for (const json& ladder : doctor["ladders"]) {
    for (const json& rung : ladder.value("rungs", json::array())) {
      EXPECT_TRUE(rung.value("usable", false) || !rung.value("why", "").empty()) << rung;
    }
  }
}

TEST_F(CliDoctor, ListsTheLaddersInTheirOrder) {
  json doctor = cli_.Json({"doctor"});
  const std::pair<const char*, std::vector<std::string>> expected[] = {
      {"loss", {"tcx", "clsact", "netem", "cgroup_skb"}},
      {"delay", {"edt", "netem", "pacer"}},
      {"partition", {"cgroup_skb", "tcx", "clsact"}},
  };
  for (const auto& [effect, rungs] : expected) {
    std::vector<std::string> listed;
    for (const json& ladder : doctor["ladders"]) {
      if (ladder.value("fault", "") != "network" || ladder.value("effect", "") != effect) continue;
      for (const json& rung : ladder["rungs"]) listed.push_back(rung.value("mechanism", ""));
    }
    EXPECT_EQ(listed, rungs) << effect;
  }
}

TEST_F(CliDoctor, SaysSoWhenAFeatureIsTakenAway) {
  json doctor = cli_.Json({"doctor", "--no-feature", "tcx"});
  EXPECT_THAT(doctor.dump(), HasSubstr("--no-feature"));
}

using CliColour = CliTest;

// A table that is redrawn in place is for people; a pipe gets plain lines, and NO_COLOR is heeded.
TEST_F(CliColour, AndRedrawingOnlyOnATerminal) {
  Command command = cli_.Make({"run", GoodFile(), "--target", Target(), "--duration", "2s"});
  command.env["TERM"] = "xterm";
  EXPECT_FALSE(HasControlSequences(RunCommand(command).out));
  command.terminal = true;
  Finished on_terminal = RunCommand(command);
  EXPECT_EQ(on_terminal.exit_code, 0) << on_terminal.err;
  EXPECT_TRUE(HasControlSequences(on_terminal.out)) << on_terminal.out;
  command.env["NO_COLOR"] = "1";
  EXPECT_FALSE(HasColour(RunCommand(command).out));
}

TEST_F(CliColour, NotInAnyPipedAnswer) {
  for (std::vector<std::string> args :
       {std::vector<std::string>{"doctor"}, {"status"}, {"--help"}, {"no-such"}}) {
    Finished finished = cli_.Run(args);
    EXPECT_FALSE(HasControlSequences(finished.out + finished.err)) << args[0];
  }
}

TEST_F(CliColour, NeverInJson) {
  Command command = cli_.Make({"doctor", "-o", "json"});
  command.terminal = true;
  EXPECT_FALSE(HasControlSequences(RunCommand(command).out));
}

using CliPlan = CliTest;

TEST_F(CliPlan, SaysWhatWouldBeDoneAndDoesNothing) {
  Finished plan = cli_.Run({"plan", GoodFile(), "--target", Target()});
  EXPECT_EQ(plan.exit_code, 0) << plan.err;
  for (const char* word : {"cut-the-peer", "target", "loss"}) EXPECT_THAT(plan.out, HasSubstr(word));
  EXPECT_THAT(plan.out, HasSubstr(BestRungForLoss()));
}

TEST_F(CliPlan, SaysWhyALowerRungWouldBeTaken) {
  Finished plan = cli_.Run({"plan", GoodFile(), "--target", Target(), "--no-feature", "tcx"});
  EXPECT_EQ(plan.exit_code, 0) << plan.err;
  EXPECT_THAT(plan.out, HasSubstr("clsact"));
  EXPECT_THAT(plan.out, HasSubstr("tcx"));
}

TEST_F(CliPlan, PrintsJson) { EXPECT_FALSE(cli_.Json({"plan", GoodFile(), "--target", Target()}).empty()); }

using CliValidate = CliTest;

TEST_F(CliValidate, AcceptsAGoodManifest) { EXPECT_EQ(cli_.Run({"validate", GoodFile()}).exit_code, 0); }

using CliRun = CliTest;

TEST_F(CliRun, TellsItsStoryInJson) {
  SabotRun run(cli_, {GoodFile(), "--target", Target(), "--duration", "3s"});
  FaultReport injected = run.WaitInjected().front();
  EXPECT_FALSE(injected.id.empty());
  EXPECT_EQ(injected.kind, "network/loss");
  EXPECT_EQ(injected.phase, "Injected");
  EXPECT_TRUE(
      run.WaitReport([](const FaultReport& fault) { return fault.phase == "Injected"; }, absl::Seconds(3)));
  RunEnd end = run.End();
  EXPECT_EQ(end.exit_code, 0) << end.Describe();
  EXPECT_TRUE(end.malformed.empty()) << end.Describe();
  ASSERT_EQ(end.faults.size(), 1U) << end.Describe();
  EXPECT_EQ(end.faults[0].id, injected.id);
  EXPECT_EQ(end.faults[0].phase, "Expired");
}

TEST_F(CliRun, TheOptionsDurationWinsOverTheManifests) {
  int64_t start_ns = NowNs();
  Finished finished = RunFile(GoodFile(), {"--duration", "1s"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_LT(NowNs() - start_ns, absl::ToInt64Nanoseconds(absl::Seconds(1) + Scaled(absl::Seconds(3))));
  EXPECT_GE(NowNs() - start_ns, 1'000'000'000);
}

TEST_F(CliRun, ShowsATableThatALogCanHold) {
  Finished finished = RunFile(GoodFile(), {"--duration", "2s"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  for (const char* word : {"cut-the-peer", "network/loss"}) EXPECT_THAT(finished.out, HasSubstr(word));
  EXPECT_THAT(finished.out, HasSubstr(BestRungForLoss()));
  EXPECT_FALSE(HasControlSequences(finished.out));
  EXPECT_EQ(finished.out.find('\r'), std::string::npos) << "lines are redrawn in a log";
}

TEST_F(CliRun, StepsDownOnlyAsFarAsItMust) {
  SabotRun run(cli_, {GoodFile(), "--target", Target(), "--no-feature", "tcx"});
  EXPECT_EQ(run.WaitInjected().front().mechanism, "clsact");
  EXPECT_EQ(run.Interrupt().exit_code, 0);
}

// A fault that cannot be applied fails alone; the run says so in its exit code.
TEST_F(CliRun, OneBadFaultDoesNotStopTheOther) {
  NetworkChaos impossible = Chaos();
  impossible.name = "impossible";
  impossible.device = "nosuch0";
  SabotRun run(cli_, {GoodFile(), Write("impossible.yaml", impossible.Yaml()), "--target", Target(),
                      "--duration", "2s"});
  EXPECT_THAT(run.WaitInjected().front().experiment, HasSubstr("cut-the-peer"));
  EXPECT_FALSE(PeerAnswers());
  RunEnd end = run.End();
  EXPECT_EQ(end.exit_code, 1) << end.Describe();
  ASSERT_EQ(end.faults.size(), 2U) << end.Describe();
  bool one_rejected = std::any_of(end.faults.begin(), end.faults.end(),
                                  [](const FaultReport& fault) { return fault.phase == "Rejected"; });
  EXPECT_TRUE(one_rejected) << end.Describe();
}

TEST_F(CliRun, TakesTargetsFromAnInventory) {
  std::string inventory =
      Write("inventory.yaml", absl::StrCat("pods:\n  - name: target\n    namespace: default\n"
                                           "    netns: ",
                                           network_.target.netns_path(),
                                           "\n"
                                           "    labels: {app: target}\n"));
  SabotRun run(cli_, {GoodFile(), "--inventory", inventory});
  run.WaitInjected();
  EXPECT_FALSE(PeerAnswers());
  EXPECT_EQ(run.Interrupt().exit_code, 0);
}

TEST_F(CliRun, ServesPrometheusMetrics) {
  uint16_t port = FreePort();
  auto run = StartGood({"--metrics", absl::StrCat("127.0.0.1:", port)});
  ProbeUdp(network_.target, network_.peer, Family::kIpv4, {.packets = 50});
  std::string answer = HttpGet(port, "/metrics");
  EXPECT_THAT(answer, HasSubstr("200 OK"));
  bool fifty = false;
  std::vector<std::string> lines = absl::StrSplit(answer, '\n');
  for (const std::string& line : lines) {
    bool ours = line.starts_with("sabot_") && line.find("matched") != std::string::npos;
    fifty |= ours && (line.ends_with(" 50") || line.ends_with(" 50\r"));
  }
  EXPECT_TRUE(fifty) << "no counter shows the 50 packets that matched:\n" << answer;
  EXPECT_EQ(run->Interrupt().exit_code, 0);
  EXPECT_EQ(HttpGet(port, "/metrics"), "") << "still served after the end";
}

using CliStatus = CliTest;

TEST_F(CliStatus, IsEmptyWhenNothingLives) {
  EXPECT_TRUE(FaultsIn(cli_.Json({"status"})).empty());
  EXPECT_EQ(cli_.Run({"status"}).exit_code, 0);
}

TEST_F(CliStatus, ShowsALiveFaultWithCountersAndTimeLeft) {
  auto run = StartGood();
  ProbeUdp(network_.target, network_.peer, Family::kIpv4, {.packets = 50});
  json faults = FaultsIn(cli_.Json({"status"}));
  ASSERT_TRUE(faults.is_array() && faults.size() == 1) << faults;
  EXPECT_EQ(faults[0].value("matched", 0), 50) << faults[0];
  EXPECT_EQ(faults[0].value("affected", 0), 50) << faults[0];
  EXPECT_EQ(faults[0].value("phase", ""), "Injected") << faults[0];
  EXPECT_THAT(cli_.Run({"status"}).out, HasSubstr("cut-the-peer"));
  int64_t left_ms = faults[0].value("expiresInMs", int64_t{0});
  EXPECT_GT(left_ms, 30'000) << faults[0];
  EXPECT_LE(left_ms, 60'000) << faults[0];
  EXPECT_EQ(run->Interrupt().exit_code, 0);
  EXPECT_TRUE(FaultsIn(cli_.Json({"status"})).empty());
}

using CliHalt = CliTest;

TEST_F(CliHalt, EndsEverythingAndRefusesMoreUntilResume) {
  auto run = StartGood();
  EXPECT_FALSE(PeerAnswers());
  int64_t halted_ns = NowNs();
  Finished halt = cli_.Run({"halt"});
  EXPECT_EQ(halt.exit_code, 0) << halt.err;
  EXPECT_TRUE(PeerAnswers());
  EXPECT_LE(NowNs() - halted_ns, 4'000'000'000);
  RunEnd end = run->End(absl::Seconds(4));
  EXPECT_FALSE(end.timed_out) << end.Describe();

  Finished refused = RunFile(GoodFile(), {"--duration", "1s"});
  EXPECT_EQ(refused.exit_code, 1) << refused.out << refused.err;
  EXPECT_THAT(refused.out + refused.err, HasSubstr("resume"));

  EXPECT_EQ(cli_.Run({"resume"}).exit_code, 0);
  EXPECT_EQ(RunFile(GoodFile(), {"--duration", "1s"}).exit_code, 0);
}

}  // namespace
}  // namespace sabot::test
