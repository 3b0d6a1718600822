// SPDX-License-Identifier: Apache-2.0
//
// Are the probes right? Each fault here is made by something whose strength is known exactly, and the probe
// must see that strength: not none, not a little more or less.
#include <atomic>
#include <cerrno>
#include <memory>
#include <thread>

#include "gtest/gtest.h"
#include "tests/support/bpf_yardstick.h"
#include "tests/support/clock.h"
#include "tests/support/network.h"
#include "tests/support/statistics.h"
#include "tests/support/tcp_probe.h"
#include "tests/support/udp_probe.h"
#include "tests/support/udp_proxy.h"

namespace sabot::test {
namespace {

class Probe : public testing::TestWithParam<Family> {
 protected:
  // From the target to the peer by way of a relay at the neighbour.
  Tally Through(const Mistreatment& mistreatment, ProbePlan plan = {}) {
    std::unique_ptr<UdpProxy> proxy;
    plan.via = [&](const sockaddr_storage& destination) {
      proxy = std::make_unique<UdpProxy>(network_.neighbour, GetParam(), destination, mistreatment);
      return proxy->address();
    };
    return ProbeUdp(network_.target, network_.peer, GetParam(), plan);
  }
  Tally Direct(const ProbePlan& plan = {}) {
    return ProbeUdp(network_.target, network_.peer, GetParam(), plan);
  }

  TestNetwork network_{Resident::Cgroup::kOwn};
};
INSTANTIATE_TEST_SUITE_P(Udp, Probe, testing::ValuesIn(kBothFamilies),
                         [](const auto& info) { return FamilyName(info.param); });

TEST_P(Probe, LosesNothingByItself) {
  Tally tally = Direct({.packets = 20'000, .rate_pps = 10'000});
  EXPECT_EQ(tally.attempted(), 20'000);
  EXPECT_EQ(tally.received, 20'000) << tally.Describe();
  EXPECT_EQ(tally.duplicates + tally.reordered + tally.corrupted + tally.strangers + tally.overflowed, 0)
      << tally.Describe();
  EXPECT_LT(tally.MedianDelayNs(), absl::ToInt64Nanoseconds(Scaled(absl::Milliseconds(2))))
      << tally.Describe();
}

TEST_P(Probe, CountsLossExactly) {
  Tally tally = Through({.lose_every = 7});
  EXPECT_EQ(tally.sent, 2000);
  EXPECT_EQ(tally.lost(), 2000 / 7) << tally.Describe();
  for (size_t i = 0; i < tally.datagrams.size(); ++i)
    EXPECT_EQ(tally.datagrams[i].lost(), (i + 1) % 7 == 0) << i;
}

TEST_P(Probe, CountsDuplicatesCorruptionAndReordering) {
  Tally duplicated = Through({.duplicate_every = 10});
  EXPECT_EQ(duplicated.duplicates, 200) << duplicated.Describe();
  EXPECT_EQ(duplicated.received, 2000);
  Tally corrupted = Through({.corrupt_every = 10});
  EXPECT_EQ(corrupted.corrupted, 200) << corrupted.Describe();
  EXPECT_EQ(corrupted.received, 1800);
  Tally swapped = Through({.swap_every = 10}, {.packets = 1999});
  EXPECT_EQ(swapped.reordered, 199) << swapped.Describe();
}

TEST_P(Probe, MeasuresDelayToAMillisecond) {
  int64_t slack_ns = absl::ToInt64Nanoseconds(Scaled(absl::Milliseconds(1)));
  for (int delay_ms : {5, 50}) {
    Tally tally = Through({.delay = absl::Milliseconds(delay_ms)}, {.packets = 500, .rate_pps = 1000});
    int64_t delay_ns = delay_ms * 1'000'000LL;
    EXPECT_EQ(tally.received, 500);
    EXPECT_GE(tally.MinDelayNs(), delay_ns) << tally.Describe();
    EXPECT_LE(tally.DelayPercentileNs(0.1), delay_ns + slack_ns) << tally.Describe();
    EXPECT_LE(tally.MedianDelayNs(), delay_ns + 5 * slack_ns) << tally.Describe();
  }
}

// The two ends of a tolerance: a fault of the asked strength passes, one that is off does not.
TEST_P(Probe, TellsThirtyPercentFromNeighbouringRates) {
  Bounds thirty = BinomialBounds(2000, 0.30);
  for (double rate : {0.0, 0.2, 0.3, 0.4}) {
    auto program = LoadDropper(DropperKind::kTc, rate);
    AttachClsactEgress(network_.target, "eth0", program.get());
    Tally tally = Direct();
    EXPECT_EQ(thirty.Contains(tally.lost()), rate == 0.3) << rate << ": " << tally.Describe();
    network_.target.Run({"tc", "qdisc", "del", "dev", "eth0", "clsact"});
  }
}

TEST_P(Probe, CountsRefusedSendsByErrno) {
  auto program = LoadDropper(DropperKind::kCgroup, 1.0);
  {
    auto link = AttachCgroupEgress(network_.target.cgroup(), program.get());
    Tally tally = Direct({.packets = 100});
    EXPECT_EQ(tally.send_errors[EPERM], 100) << tally.Describe();
    EXPECT_EQ(tally.sent, 0);
    EXPECT_EQ(tally.lost(), 0) << "what was refused was never on its way";
    Tally others = ProbeUdp(network_.neighbour, network_.peer, GetParam(), {.packets = 100});
    EXPECT_EQ(others.received, 100) << others.Describe();
  }
  EXPECT_EQ(Direct({.packets = 100}).received, 100) << "the fault went with its link";
}

// A relay outside the sender's namespace holds packets without holding the sender's buffer; nothing here
// delays inside it. That a full buffer shows up as EAGAIN is what the product's delay is later judged by.
TEST_P(Probe, ShowsAFullSendBufferAsEagain) {
  ProbePlan plan{
      .packets = 200, .rate_pps = 2000, .drain = absl::Milliseconds(50), .send_buffer_bytes = 4096};
  EXPECT_EQ(Direct(plan).received, 200) << "a small buffer alone is no obstacle";
  // Without an answer to neighbour discovery, packets wait in the sender's namespace, charged to their
  // socket.
  Address nowhere{GetParam(), GetParam() == Family::kIpv4 ? "10.77.1.99" : "fd00:77:1::99"};
  plan.via = [&](const sockaddr_storage&) { return nowhere.Socket(9); };
  Tally tally = Direct(plan);
  EXPECT_GT(tally.send_errors[EAGAIN], 0) << tally.Describe();
}

TEST_P(Probe, StreamNoticesWhenAFaultComesAndGoes) {
  UdpStream stream(network_.target, network_.peer, GetParam());
  auto arrived = [](const Datagram& datagram) { return datagram.received_ns != 0; };
  auto lost = [](const Datagram& datagram) { return datagram.lost(); };
  EXPECT_TRUE(stream.WaitUntilLast(50, arrived, absl::Seconds(5)));
  EXPECT_FALSE(stream.WaitUntilLast(50, lost, absl::Milliseconds(600)));
  AttachClsactEgress(network_.target, "eth0", LoadDropper(DropperKind::kTc, 1.0).get());
  EXPECT_TRUE(stream.WaitUntilLast(50, lost, absl::Seconds(5)));
  EXPECT_FALSE(stream.WaitUntilLast(50, arrived, absl::Milliseconds(600)));
  network_.target.Run({"tc", "qdisc", "del", "dev", "eth0", "clsact"});
  EXPECT_TRUE(stream.WaitUntilLast(50, arrived, absl::Seconds(5)));
  Tally tally = stream.Stop();
  EXPECT_GT(tally.lost(), 50);
}

TEST_P(Probe, SeesOnlyTheDeviceThatIsHit) {
  AttachClsactEgress(network_.target, "eth1", LoadDropper(DropperKind::kTc, 1.0).get());
  EXPECT_EQ(Direct({.packets = 100}).received, 100);
  Address by_eth1 = network_.peer.eth1_address(GetParam());
  EXPECT_EQ(ProbeUdp(network_.target, network_.peer, by_eth1, {.packets = 100}).received, 0);
}

TEST_P(Probe, TcpConnectsAndAnswers) {
  TcpResult result = ProbeTcp(network_.target, network_.peer, GetParam(), {.bulk = absl::Milliseconds(300)});
  EXPECT_EQ(result.connect_error, 0);
  EXPECT_EQ(result.round_trips_ns.size(), 20U);
  EXPECT_GT(result.megabits_per_second, 50 / TimeScale());
}

TEST_P(Probe, TcpNoticesThatNothingComesBack) {
  AttachClsactEgress(network_.target, "eth0", LoadDropper(DropperKind::kTc, 1.0).get());
  TcpResult result =
      ProbeTcp(network_.target, network_.peer, GetParam(), {.timeout = absl::Milliseconds(300)});
  EXPECT_EQ(result.connect_error, ETIMEDOUT);
  EXPECT_TRUE(result.round_trips_ns.empty());
}

}  // namespace
}  // namespace sabot::test
