// SPDX-License-Identifier: Apache-2.0
#include "tests/host/cli_fixture.h"

#include <regex>

#include "absl/strings/str_join.h"
#include "tests/support/doctor.h"
#include "tests/support/require.h"
#include "tests/support/udp_probe.h"

namespace sabot::test {

void CliTest::TearDown() {
  std::vector<std::string> difference = DifferenceSince(before_, scope_);
  EXPECT_TRUE(difference.empty()) << "the host is not what it was:\n" << absl::StrJoin(difference, "\n");
  EXPECT_TRUE(PeerAnswers()) << "the peer cannot be reached any more";
}

NetworkChaos CliTest::Chaos() const {
  return {.name = "cut-the-peer",
          .external_targets = {network_.peer.address(Family::kIpv4).Prefix(),
                               network_.peer.address(Family::kIpv6).Prefix()},
          .duration = "60s"};
}

Finished CliTest::RunFile(const std::string& path, std::vector<std::string> more,
                          std::vector<std::string> jail) {
  std::vector<std::string> args = {"run", path, "--target", Target()};
  args.insert(args.end(), more.begin(), more.end());
  return RunCommand(cli_.Make(std::move(args), std::move(jail)));
}

std::unique_ptr<SabotRun> CliTest::StartGood(std::vector<std::string> more) {
  std::vector<std::string> args = {GoodFile(), "--target", Target()};
  args.insert(args.end(), more.begin(), more.end());
  auto run = std::make_unique<SabotRun>(cli_, args);
  run->WaitInjected();
  return run;
}

std::string CliTest::BestRungForLoss() const {
  nlohmann::json doctor = cli_.Json({"doctor"});
  for (const char* rung : {"tcx", "clsact"}) {
    if (VerdictOn(doctor, "loss", rung).usable) return rung;
  }
  throw ArrangementFailed("no exact rung for loss is usable");
}

bool CliTest::PeerAnswers() {
  if (network_.target.pid() < 0) return true;  // a test that killed it cannot ask it
  return ProbeUdp(network_.target, network_.peer, Family::kIpv4, {.packets = 20}).received == 20;
}

void ExpectRefusal(const Finished& finished, int code, const std::vector<std::string>& words) {
  std::string said = "exit " + std::to_string(finished.exit_code) + "\n" + finished.out + "\n" + finished.err;
  EXPECT_FALSE(finished.timed_out) << "it hangs; " << said;
  EXPECT_EQ(finished.exit_code, code) << said;
  EXPECT_FALSE(finished.err.empty()) << "nothing on standard error; " << said;
  for (const std::string& word : words) {
    EXPECT_NE(finished.err.find(word), std::string::npos) << "no \"" << word << "\" in: " << said;
  }
}

bool HasControlSequences(const std::string& text) { return text.find('\x1b') != std::string::npos; }

bool HasColour(const std::string& text) {
  static const std::regex select_graphic_rendition("\x1b\\[[0-9;]*m");
  return std::regex_search(text, select_graphic_rendition);
}

}  // namespace sabot::test
