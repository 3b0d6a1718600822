// SPDX-License-Identifier: Apache-2.0
#include "tests/host/scenario.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "tests/host/report.h"
#include "tests/support/clock.h"

namespace sabot::test {
namespace {

constexpr double kProbeRate = 2000;

ProbePlan ShortProbe(const Effect& effect, int packets) {
  absl::Duration drain = absl::Milliseconds(200) + absl::Nanoseconds(effect.strong_delay_ns);
  return {.packets = packets, .rate_pps = kProbeRate, .drain = drain};
}

std::string TargetArg(const Host& host, TargetBy by) {
  if (by == TargetBy::kCgroup) return TargetByCgroup(host.role(), host.cgroup());
  return TargetByNetns(host.role(), host.netns_path());
}

std::string Between(const Host& from, const Address& address) {
  return absl::StrCat("from ", from.role(), " to ", address.text);
}

}  // namespace

Scenario::Scenario(const Cell& cell)
    : cell_(cell),
      network_(cell.target_by == TargetBy::kCgroup ? Resident::Cgroup::kOwn : Resident::Cgroup::kInherited),
      scope_{network_.All(), cli_.state_dir()},
      before_(HostSnapshot::Take(scope_)) {}

NetworkChaos Scenario::Moderate() const {
  return {.name = std::string(effect().action) + "-of-the-peer",
          .action = effect().action,
          .strength = effect().moderate,
          .external_targets = {network_.peer.address(Family::kIpv4).Prefix(),
                               network_.peer.address(Family::kIpv6).Prefix()},
          .duration = "120s"};
}

NetworkChaos Scenario::Strong() const {
  NetworkChaos chaos = Moderate();
  chaos.strength = effect().strong;
  return chaos;
}

std::vector<std::string> Scenario::TargetArgs(bool with_peer) const {
  std::vector<std::string> args = {"--target", TargetArg(network_.target, cell_.target_by)};
  if (with_peer) args.insert(args.end(), {"--target", TargetArg(network_.peer, cell_.target_by)});
  return args;
}

std::unique_ptr<SabotRun> Scenario::Start(const std::vector<NetworkChaos>& experiments, bool with_peer) {
  std::vector<std::string> args;
  for (const NetworkChaos& chaos : experiments)
    args.push_back(cli_.files().Write(chaos.name + ".yaml", chaos.Yaml()));
  for (std::string& arg : TargetArgs(with_peer)) args.push_back(std::move(arg));
  args.insert(args.end(), {"--mechanism", absl::StrCat("network=", cell_.mechanism)});
  return std::make_unique<SabotRun>(cli_, args);
}

std::unique_ptr<SabotRun> Scenario::Inject(const NetworkChaos& experiment, FaultReport* injected) {
  auto run = Start({experiment});
  FaultReport fault = run->WaitInjected().front();
  EXPECT_EQ(fault.mechanism, cell_.mechanism) << fault.Describe();
  EXPECT_EQ(fault.kind, absl::StrCat("network/", effect().action)) << fault.Describe();
  EXPECT_EQ(fault.phase, "Injected") << fault.Describe();
  EXPECT_NE(fault.experiment.find(experiment.name), std::string::npos) << fault.Describe();
  EXPECT_NE(fault.target.find("target"), std::string::npos) << fault.Describe();
  if (injected != nullptr) *injected = fault;
  return run;
}

void Scenario::ExpectHit(const Host& from, const Host& to, const Address& address, int packets) {
  Tally tally = ProbeUdp(from, to, address, ShortProbe(effect(), packets));
  int hit = 0;
  for (const Datagram& datagram : tally.datagrams) hit += IsHit(effect(), datagram) ? 1 : 0;
  EXPECT_EQ(hit, packets) << Between(from, address) << ": " << tally.Describe();
}

void Scenario::ExpectUnhurt(const Host& from, const Host& to, const Address& address, int packets) {
  // A busy machine holds packets up now and then, a fault that spills over always: a probe that lost nothing
  // and was merely late is repeated. What is lost is never put down to the machine.
  for (int attempts_left = 3; attempts_left > 0; --attempts_left) {
    Tally tally = ProbeUdp(from, to, address, ShortProbe(effect(), packets));
    int unhurt = 0;
    for (const Datagram& datagram : tally.datagrams) unhurt += IsUnhurt(effect(), datagram) ? 1 : 0;
    if (unhurt == packets) return;
    if (tally.received == packets && attempts_left > 1) continue;
    FAIL() << Between(from, address) << ": " << packets - unhurt << " of " << packets << " were hit; "
           << tally.Describe();
  }
}

void Scenario::ExpectHit(const Host& from, const Host& to, int packets) {
  for (Family family : kBothFamilies) ExpectHit(from, to, to.address(family), packets);
}

void Scenario::ExpectUnhurt(const Host& from, const Host& to, int packets) {
  for (Family family : kBothFamilies) ExpectUnhurt(from, to, to.address(family), packets);
}

void Scenario::ExpectGoodEnd(const RunEnd& end, const std::string& phase) {
  EXPECT_FALSE(end.timed_out) << end.Describe();
  EXPECT_EQ(end.exit_code, 0) << end.Describe();
  EXPECT_TRUE(end.malformed.empty()) << end.Describe();
  EXPECT_TRUE(end.has_ended_event) << "the last line is not the \"ended\" event\n" << end.Describe();
  EXPECT_FALSE(end.faults.empty()) << end.Describe();
  for (const FaultReport& fault : end.faults) EXPECT_EQ(fault.phase, phase) << fault.Describe();
}

void Scenario::ExpectHostAsBefore() {
  std::vector<std::string> difference = DifferenceSince(before_, scope_);
  EXPECT_TRUE(difference.empty()) << "the host is not what it was:\n" << absl::StrJoin(difference, "\n");
  Report::Get().NoteSnapshot(cell_.Row(), difference.empty());
}

}  // namespace sabot::test
