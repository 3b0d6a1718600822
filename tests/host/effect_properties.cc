// SPDX-License-Identifier: Apache-2.0
//
// What the fault does, in numbers.
#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/host/property.h"
#include "tests/support/clock.h"
#include "tests/support/statistics.h"
#include "tests/support/tcp_probe.h"
#include "tests/support/udp_probe.h"

namespace sabot::test {
namespace {

int64_t ScaledNs(absl::Duration tolerance) { return absl::ToInt64Nanoseconds(Scaled(tolerance)); }

// Nothing happened to the datagrams but what the effect is; the measurement itself is sound.
void ExpectNothingElse(const Tally& tally) {
  EXPECT_EQ(tally.duplicates, 0) << tally.Describe();
  EXPECT_EQ(tally.corrupted, 0) << tally.Describe();
  EXPECT_EQ(tally.reordered, 0) << tally.Describe();
  EXPECT_EQ(tally.overflowed, 0) << tally.Describe();
}

// `percent` of the datagrams do not arrive. The sender is told (EPERM) exactly where the rung sits at the
// socket.
void ExpectLoss(Scenario& scenario, Family family, int packets, double percent) {
  Tally tally = ProbeUdp(scenario.network().target, scenario.network().peer, family, {.packets = packets});
  Bounds bounds = BinomialBounds(packets, percent / 100);
  int64_t missing = packets - tally.received;
  EXPECT_TRUE(bounds.Contains(missing))
      << FamilyName(family) << ": " << missing << " lost, not within " << bounds.low << " to " << bounds.high;
  EXPECT_EQ(tally.send_errors[EPERM], scenario.cell().SenderIsTold() ? missing : 0) << tally.Describe();
  EXPECT_EQ(tally.lost(), scenario.cell().SenderIsTold() ? 0 : missing) << tally.Describe();
  ExpectNothingElse(tally);
}

// All datagrams arrive `delay` later, in order. The sender's small buffer would fill if packets stayed
// charged to their socket while they are held.
void ExpectDelay(Scenario& scenario, Family family, absl::Duration delay) {
  ProbePlan plan{.packets = 500, .rate_pps = 1000, .send_buffer_bytes = 16 << 10};
  Tally tally = ProbeUdp(scenario.network().target, scenario.network().peer, family, plan);
  std::string what = absl::StrCat(FamilyName(family), ": ", tally.Describe());
  int64_t asked_ns = absl::ToInt64Nanoseconds(delay);
  EXPECT_EQ(tally.received, plan.packets) << what;
  EXPECT_GE(tally.MinDelayNs(), asked_ns) << what;
  // The quickest tenth shows the mechanism, the median also this machine's other work.
  EXPECT_LE(tally.DelayPercentileNs(0.1), asked_ns + ScaledNs(absl::Milliseconds(1))) << what;
  EXPECT_LE(tally.MedianDelayNs(), asked_ns + ScaledNs(absl::Milliseconds(5))) << what;
  ExpectNothingElse(tally);
}

// A delay is no brake: connections take a round trip longer, and one flow still fills its window.
void ExpectTcpUnderDelay(Scenario& scenario, Family family, absl::Duration delay) {
  TcpResult result = ProbeTcp(scenario.network().target, scenario.network().peer, family,
                              {.round_trips = 5, .bulk = absl::Milliseconds(1500)});
  int64_t asked_ns = absl::ToInt64Nanoseconds(delay);
  EXPECT_EQ(result.connect_error, 0) << FamilyName(family);
  EXPECT_GE(result.connect_ns, asked_ns) << FamilyName(family);
  ASSERT_EQ(result.round_trips_ns.size(), 5U) << FamilyName(family);
  EXPECT_GE(Percentile(result.round_trips_ns, 0), asked_ns);
  EXPECT_LE(Percentile(result.round_trips_ns, 0.5), asked_ns + ScaledNs(absl::Milliseconds(10)));
  // Held packets that stay charged to their socket make this 1 Mbit/s, on slow machines too.
  EXPECT_GE(result.megabits_per_second, std::max(3.0, 20 / TimeScale())) << FamilyName(family);
}

// `percent` of the datagrams arrive twice or more often, and all of them at least once.
void ExpectDuplicates(Scenario& scenario, Family family, int packets, double percent) {
  Tally tally = ProbeUdp(scenario.network().target, scenario.network().peer, family, {.packets = packets});
  Bounds bounds = BinomialBounds(packets, percent / 100);
  int64_t twice = 0;
  for (const Datagram& datagram : tally.datagrams) twice += datagram.copies > 1 ? 1 : 0;
  EXPECT_TRUE(bounds.Contains(twice)) << FamilyName(family) << ": " << twice << " arrived twice, not within "
                                      << bounds.low << " to " << bounds.high;
  EXPECT_EQ(tally.received, packets) << tally.Describe();
  EXPECT_EQ(tally.corrupted, 0) << tally.Describe();
}

// Nothing arrives. The sender is told (EPERM) exactly where the rung sits at the socket.
void ExpectPartition(Scenario& scenario, Family family) {
  constexpr int kPackets = 200;
  Tally tally = ProbeUdp(scenario.network().target, scenario.network().peer, family, {.packets = kPackets});
  EXPECT_EQ(tally.received, 0) << FamilyName(family) << ": " << tally.Describe();
  bool told = scenario.cell().SenderIsTold();
  EXPECT_EQ(tally.send_errors[EPERM], told ? kPackets : 0) << tally.Describe();
  EXPECT_EQ(tally.sent, told ? 0 : kPackets) << tally.Describe();
  TcpResult tcp = ProbeTcp(scenario.network().target, scenario.network().peer, family,
                           {.timeout = absl::Milliseconds(300)});
  EXPECT_NE(tcp.connect_error, 0) << "a TCP connection passed the partition";
}

// The fault whose experiment is so named, of a report.
const FaultReport& Named(const std::vector<FaultReport>& faults, const std::string& name) {
  for (const FaultReport& fault : faults) {
    if (fault.experiment.find(name) != std::string::npos) return fault;
  }
  static const FaultReport none;
  return none;
}

void ExpectBothLosses(Scenario& scenario, bool both) {
  ExpectLoss(scenario, Family::kIpv4, 800, both ? 75 : 50);
}

void ExpectBothDuplicates(Scenario& scenario, bool both) {
  ExpectDuplicates(scenario, Family::kIpv4, 800, both ? 75 : 50);
}

void ExpectBothDelays(Scenario& scenario, bool both) {
  ExpectDelay(scenario, Family::kIpv4, absl::Milliseconds(both ? 50 : 20));
}

void ExpectBothPartitions(Scenario& scenario, bool both) {
  TestNetwork& network = scenario.network();
  if (both) {
    scenario.ExpectHit(network.target, network.peer);
  } else {
    scenario.ExpectUnhurt(network.target, network.peer);
  }
  scenario.ExpectHit(network.target, network.neighbour);
}

}  // namespace

void EffectMeasuredInside(Scenario& scenario) {
  TestNetwork& network = scenario.network();
  scenario.ExpectUnhurt(network.target, network.peer);
  auto run = scenario.Inject(scenario.Moderate());
  for (Family family : kBothFamilies) {
    switch (scenario.effect().kind) {
      case EffectKind::kLoss:
        ExpectLoss(scenario, family, 2000, 30);
        break;
      case EffectKind::kDuplicate:
        ExpectDuplicates(scenario, family, 2000, 30);
        break;
      case EffectKind::kDelay:
        ExpectDelay(scenario, family, absl::Milliseconds(50));
        ExpectTcpUnderDelay(scenario, family, absl::Milliseconds(50));
        break;
      case EffectKind::kPartition:
        ExpectPartition(scenario, family);
        break;
    }
  }
  scenario.ExpectGoodEnd(run->Interrupt(), "Recovered");
  scenario.ExpectUnhurt(network.target, network.peer);
}

void NeighbourUntouched(Scenario& scenario) {
  TestNetwork& network = scenario.network();
  auto run = scenario.Inject(scenario.Strong());
  scenario.ExpectHit(network.target, network.peer);
  scenario.ExpectUnhurt(network.target, network.neighbour, 200);
  scenario.ExpectUnhurt(network.neighbour, network.target, 200);
  scenario.ExpectUnhurt(network.neighbour, network.peer, 200);
  scenario.ExpectHit(network.target, network.peer);
  scenario.ExpectGoodEnd(run->Interrupt(), "Recovered");
}

void CountersAgree(Scenario& scenario) {
  constexpr int kPackets = 1000, kOthers = 100;
  TestNetwork& network = scenario.network();
  auto run = scenario.Inject(scenario.Moderate());
  uint64_t sent = 0, lost = 0, copies = 0;
  for (Family family : kBothFamilies) {
    Tally tally = ProbeUdp(network.target, network.peer, family, {.packets = kPackets});
    EXPECT_EQ(tally.overflowed, 0);
    sent += static_cast<uint64_t>(tally.attempted());
    lost += static_cast<uint64_t>(tally.attempted() - tally.received);
    copies += static_cast<uint64_t>(tally.duplicates);
    scenario.ExpectUnhurt(network.target, network.neighbour, network.neighbour.address(family), kOthers);
  }
  const EffectKind kind = scenario.effect().kind;
  uint64_t affected = kind == EffectKind::kDelay ? sent : kind == EffectKind::kDuplicate ? copies : lost;
  auto live =
      run->WaitReport([&](const FaultReport& fault) { return fault.matched >= sent; }, absl::Seconds(4));
  EXPECT_TRUE(live.has_value()) << "no \"counters\" event ever showed the " << sent
                                << " packets that were sent";
  RunEnd end = run->Interrupt();
  scenario.ExpectGoodEnd(end, "Recovered");
  EXPECT_EQ(end.Matched(), sent) << end.Describe();
  EXPECT_EQ(end.Affected(), affected) << "as the receiver counted; " << end.Describe();
  EXPECT_GE(end.Seen(), sent + 2 * kOthers) << end.Describe();
}

void TwoFaultsActAndLeaveIndependently(Scenario& scenario) {
  NetworkChaos first = scenario.Moderate(), second = scenario.Moderate();
  first.name = "first";
  first.duration = absl::StrCat(static_cast<int>(3 + TimeScale() / 2), "s");
  second.name = "second";
  auto expect = ExpectBothLosses;
  if (scenario.effect().kind == EffectKind::kLoss) {
    first.strength = second.strength = "50";
  } else if (scenario.effect().kind == EffectKind::kDuplicate) {
    first.strength = second.strength = "50";
    expect = ExpectBothDuplicates;
  } else if (scenario.effect().kind == EffectKind::kDelay) {
    first.strength = "30ms";
    second.strength = "20ms";
    expect = ExpectBothDelays;
  } else {
    const Host& neighbour = scenario.network().neighbour;
    second.external_targets = {neighbour.address(Family::kIpv4).Prefix(),
                               neighbour.address(Family::kIpv6).Prefix()};
    expect = ExpectBothPartitions;
  }
  auto run = scenario.Start({first, second});
  run->WaitInjected(2);
  expect(scenario, true);
  auto report = run->WaitReport(
      [](const FaultReport& fault) {
        return fault.experiment.find("first") != std::string::npos && fault.phase == "Expired";
      },
      absl::Seconds(10));
  ASSERT_TRUE(report.has_value()) << "the first experiment never ended";
  EXPECT_EQ(Named(*report, "second").phase, "Injected");
  expect(scenario, false);
  RunEnd end = run->Interrupt();
  EXPECT_EQ(end.exit_code, 0) << end.Describe();
  EXPECT_EQ(Named(end.faults, "first").phase, "Expired") << end.Describe();
  EXPECT_EQ(Named(end.faults, "second").phase, "Recovered") << end.Describe();
}

}  // namespace sabot::test
