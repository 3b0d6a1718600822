// SPDX-License-Identifier: Apache-2.0
//
// Targets that live in the machine's own network namespace: refused unless allowed, and then hit at their
// sockets only, while everything else on the machine goes on and its devices are not touched.
//
// The packets of this test go over a veth pair of its own, whose far end is in a namespace of the test.
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "tests/support/host_snapshot.h"
#include "tests/support/manifest.h"
#include "tests/support/netlink_dump.h"
#include "tests/support/network.h"
#include "tests/support/require.h"
#include "tests/support/sabot_cli.h"
#include "tests/support/sabot_run.h"
#include "tests/support/statistics.h"
#include "tests/support/udp_probe.h"

namespace sabot::test {
namespace {

class HostNetwork : public testing::Test {
 protected:
  void SetUp() override {
    far_.Run({"ip", "-batch", "-"},
             absl::StrCat("link add eth0 type veth peer name ", device_, " netns ", local_.pid(), "\n",
                          "link set eth0 addrgenmode none\n", "link set eth0 up\n", "addr add ",
                          Far(Family::kIpv4).text, "/30 dev eth0\n", "addr add ", Far(Family::kIpv6).text,
                          "/64 dev eth0 nodad\n"));
    local_.Run({"ip", "-batch", "-"},
               absl::StrCat("link set ", device_, " addrgenmode none\n", "link set ", device_, " up\n",
                            "addr add 198.18.", net_, ".1/30 dev ", device_, "\n", "addr add fd00:78:", net_,
                            "::1/64 dev ", device_, " nodad\n"));
    WaitUntilRunning(far_, "eth0");
    WaitUntilRunning(local_, device_);
    for (Family family : kBothFamilies) WaitUntilReachable(family);
    before_ = HostSnapshot::Take(scope_);
    devices_before_ = DumpQdiscs(device_);
  }
  void TearDown() override {
    std::vector<std::string> difference = DifferenceSince(before_, scope_);
    EXPECT_TRUE(difference.empty()) << absl::StrJoin(difference, "\n");
    EXPECT_EQ(Probe(local_, Family::kIpv4).received, kPackets) << "the target is not free again";
    local_.Run({"ip", "link", "del", device_});
  }

  Address Far(Family family) const {
    return {family, family == Family::kIpv4 ? absl::StrCat("198.18.", net_, ".2")
                                            : absl::StrCat("fd00:78:", net_, "::2")};
  }
  void WaitUntilReachable(Family family) {
    for (int attempt = 0; attempt < 100; ++attempt) {
      if (ProbeUdp(local_, far_, Far(family), {.packets = 1, .drain = absl::Milliseconds(50)}).received == 1)
        return;
    }
    throw ArrangementFailed("the far end cannot be reached");
  }
  Tally Probe(const Resident& from, Family family) {
    return ProbeUdp(from, far_, Far(family), {.packets = kPackets});
  }
  NetworkChaos Chaos(const std::string& action, const std::string& strength) const {
    return {.name = "host-network",
            .action = action,
            .strength = strength,
            .external_targets = {Far(Family::kIpv4).Prefix(), Far(Family::kIpv6).Prefix()},
            .duration = "60s"};
  }
  std::unique_ptr<SabotRun> Start(const NetworkChaos& chaos, std::vector<std::string> more = {}) {
    std::vector<std::string> args = {cli_.files().Write("host.yaml", chaos.Yaml()), "--target",
                                     TargetByCgroup("target", local_.cgroup())};
    args.insert(args.end(), more.begin(), more.end());
    return std::make_unique<SabotRun>(cli_, args);
  }
  void ExpectBystanderAndDeviceUntouched() {
    for (Family family : kBothFamilies) EXPECT_EQ(Probe(bystander_, family).received, kPackets);
    EXPECT_EQ(DumpQdiscs(device_), devices_before_);
  }

  static constexpr int kPackets = 1000;
  // Names and addresses of the machine's namespace: others' tests, and this test's last device, may still be
  // there.
  static inline int count_ = 0;
  int net_ = (::getpid() + ++count_) % 250;
  std::string device_ = absl::StrCat("st", ::getpid(), "x", count_);
  SabotCli cli_;
  Resident local_{"local", Resident::Cgroup::kOwn, Resident::Network::kMachine};
  Resident bystander_{"bystander", Resident::Cgroup::kOwn, Resident::Network::kMachine};
  Resident far_{"far"};
  // Of the machine's own namespace only what the product could leave; others use it too.
  SnapshotScope scope_{{&far_}, cli_.state_dir()};
  HostSnapshot before_;
  std::vector<std::string> devices_before_;
};

TEST_F(HostNetwork, IsRefusedUnasked) {
  RunEnd end = Start(Chaos("partition", ""))->End();
  EXPECT_TRUE(end.exit_code == 1 || end.exit_code == 2) << end.Describe();
  EXPECT_NE(end.Describe().find("--allow-host-network"), std::string::npos) << end.Describe();
  for (Family family : kBothFamilies) EXPECT_EQ(Probe(local_, family).received, kPackets);
}

TEST_F(HostNetwork, PartitionActsOnTheGroupsSocketsAlone) {
  auto run = Start(Chaos("partition", ""), {"--allow-host-network"});
  EXPECT_EQ(run->WaitInjected().front().mechanism, "cgroup_skb");
  for (Family family : kBothFamilies) EXPECT_EQ(Probe(local_, family).send_errors[EPERM], kPackets);
  ExpectBystanderAndDeviceUntouched();
  RunEnd end = run->Interrupt();
  EXPECT_EQ(end.exit_code, 0) << end.Describe();
  EXPECT_EQ(end.Affected(), 2U * kPackets) << end.Describe();
}

TEST_F(HostNetwork, LossActsOnTheGroupsSocketsAlone) {
  auto run = Start(Chaos("loss", "30"), {"--allow-host-network"});
  EXPECT_EQ(run->WaitInjected().front().mechanism, "cgroup_skb");
  Bounds bounds = BinomialBounds(kPackets, 0.3);
  uint64_t missing = 0;
  for (Family family : kBothFamilies) {
    Tally tally = Probe(local_, family);
    EXPECT_TRUE(bounds.Contains(kPackets - tally.received)) << tally.Describe();
    missing += static_cast<uint64_t>(kPackets - tally.received);
  }
  ExpectBystanderAndDeviceUntouched();
  RunEnd end = run->Interrupt();
  EXPECT_EQ(end.exit_code, 0) << end.Describe();
  EXPECT_EQ(end.Affected(), missing) << end.Describe();
}

TEST_F(HostNetwork, DelayHasNoRungThereAndSaysSo) {
  RunEnd end = Start(Chaos("delay", "50ms"), {"--allow-host-network"})->End();
  EXPECT_EQ(end.exit_code, 1) << end.Describe();
  ASSERT_EQ(end.faults.size(), 1U) << end.Describe();
  EXPECT_EQ(end.faults[0].phase, "Rejected") << end.Describe();
  EXPECT_FALSE(end.faults[0].message.empty());
  ExpectBystanderAndDeviceUntouched();
}

// Even then the whole machine is no target.
TEST_F(HostNetwork, TheRootOfTheGroupsIsNoTarget) {
  SabotRun run(cli_, {cli_.files().Write("host.yaml", Chaos("partition", "").Yaml()), "--target",
                      TargetByCgroup("target", CgroupV2Mount()), "--allow-host-network"});
  RunEnd end = run.End();
  EXPECT_TRUE(end.exit_code == 1 || end.exit_code == 2) << end.Describe();
  EXPECT_EQ(Probe(bystander_, Family::kIpv4).received, kPackets);
}

}  // namespace
}  // namespace sabot::test
