// SPDX-License-Identifier: Apache-2.0
//
// The programs of bpf/network.bpf.c on single packets, by BPF_PROG_TEST_RUN. Needs root.
#include "loader/network_programs.h"

#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <memory>
#include <vector>

#include "loader/clock.h"

namespace sabot::loader {
namespace {

constexpr int kPass = -1;
constexpr uint32_t kTestDevice = 1;  // BPF_PROG_TEST_RUN uses loopback
constexpr uint64_t kFarFuture = UINT64_MAX;

using Bytes = std::vector<uint8_t>;

Bytes Ethernet(uint16_t type, const Bytes& payload) {
  Bytes packet(12, 0);
  packet.push_back(static_cast<uint8_t>(type >> 8));
  packet.push_back(static_cast<uint8_t>(type));
  packet.insert(packet.end(), payload.begin(), payload.end());
  packet.resize(std::max<size_t>(packet.size(), 64));
  return packet;
}

Bytes Ipv4(const Bytes& source, const Bytes& destination) {
  Bytes header(20, 0);
  header[0] = 0x45;
  std::copy(source.begin(), source.end(), header.begin() + 12);
  std::copy(destination.begin(), destination.end(), header.begin() + 16);
  return Ethernet(0x0800, header);
}

Bytes Ipv6(uint8_t source, uint8_t destination) {
  Bytes header(40, 0);
  header[0] = 0x60;
  header[8] = header[24] = 0xfd;
  header[23] = source;
  header[39] = destination;
  return Ethernet(0x86dd, header);
}

Prefix Net4(const Bytes& address, uint8_t length) {
  Prefix prefix = {.v6 = false, .address = {}, .length = length};
  std::copy(address.begin(), address.end(), prefix.address.begin());
  return prefix;
}

class NetworkProgramsTest : public testing::Test {
 protected:
  void SetUp() override {
    auto programs = NetworkPrograms::Create({.lanes = 4, .rules = 64, .hosts = 64});
    ASSERT_TRUE(programs.ok()) << programs.status();
    programs_ = *std::move(programs);
    programs_->SetLease(BootTimeNs() + 60'000'000'000);
  }

  struct RuleSpec {
    sabot_duty duty = SABOT_DROP_EGRESS;
    double chance = 1;
    uint64_t end_ns = kFarFuture;
    uint32_t ifindex = kTestDevice;
    bool all_peers = false;
    std::vector<Prefix> peers;
    bool silent = false;
  };

  void SetRule(uint32_t lane, int bit, const RuleSpec& spec) {
    const uint32_t index = lane * 16 + bit;
    programs_->rules()[index] = {.end_ns = spec.end_ns,
                                 .delay_ns = 0,
                                 .chance = static_cast<uint64_t>(spec.chance * 4294967296.0),
                                 .ifindex = spec.ifindex,
                                 .ordinal = 0,
                                 .silent = spec.silent};
    sabot_lane& map = programs_->lanes()[lane];
    map.rule[bit] = index;
    map.duty[spec.duty] |= 1ull << bit;
    if (spec.all_peers) map.all_peers |= 1ull << bit;
    for (const Prefix& peer : spec.peers) {
      (peer.host() ? (peer.v6 ? map.hosts6 : map.hosts4) : (peer.v6 ? map.nets6 : map.nets4)) |= 1ull << bit;
      const PrefixRules net = {.prefix = peer, .rules = 1ull << bit};
      const absl::Status set = peer.host() ? programs_->SetHost(lane, peer, net.rules)
                                           : programs_->SetNets(lane, peer.v6, {&net, 1});
      ASSERT_TRUE(set.ok()) << set;
    }
  }

  int Verdict(sabot_body body, uint32_t lane, Bytes packet, int repeat = 1) {
    auto entry = programs_->MakeEntry(body, lane);
    EXPECT_TRUE(entry.ok()) << entry.status();
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet.data(),
                .data_size_in = static_cast<uint32_t>(packet.size()), .repeat = repeat);
    EXPECT_EQ(bpf_prog_test_run_opts(entry->get(), &options), 0);
    return static_cast<int>(options.retval);
  }

  sabot_counters Counts(uint32_t lane, int bit) { return *programs_->Counts(lane * 16 + bit); }

  std::unique_ptr<NetworkPrograms> programs_;
};

const Bytes kUs = {10, 0, 0, 1};
const Bytes kPeer = {10, 0, 0, 2};
const Bytes kOther = {10, 0, 0, 3};

TEST_F(NetworkProgramsTest, EmptyLanePassesAndCountsWhatItSees) {
  EXPECT_EQ(Verdict(SABOT_BODY_EGRESS, 0, Ipv4(kUs, kPeer)), kPass);
  EXPECT_EQ(programs_->Seen(0)->packets[SABOT_BODY_EGRESS], 1u);
}

TEST_F(NetworkProgramsTest, DropsWhatGoesToAPeerAndNothingElse) {
  SetRule(0, 3, {.peers = {Net4(kPeer, 32)}});
  EXPECT_EQ(Verdict(SABOT_BODY_EGRESS, 0, Ipv4(kUs, kPeer)), TC_ACT_SHOT);
  EXPECT_EQ(Verdict(SABOT_BODY_EGRESS, 0, Ipv4(kUs, kOther)), kPass);
  EXPECT_EQ(Verdict(SABOT_BODY_EGRESS, 0, Ipv4(kPeer, kUs)), kPass);
  EXPECT_EQ(Counts(0, 3).matched, 1u);
  EXPECT_EQ(Counts(0, 3).affected, 1u);
}

TEST_F(NetworkProgramsTest, IngressLooksAtTheSource) {
  SetRule(0, 0, {.duty = SABOT_DROP_INGRESS, .peers = {Net4(kPeer, 32)}});
  EXPECT_EQ(Verdict(SABOT_BODY_INGRESS, 0, Ipv4(kPeer, kUs)), TC_ACT_SHOT);
  EXPECT_EQ(Verdict(SABOT_BODY_INGRESS, 0, Ipv4(kUs, kPeer)), kPass);
}

TEST_F(NetworkProgramsTest, MatchesPrefixesOfBothFamilies) {
  Prefix net6 = {.v6 = true, .address = {0xfd}, .length = 64};
  SetRule(0, 0, {.peers = {Net4({10, 0, 0, 0}, 24), net6}});
  EXPECT_EQ(Verdict(SABOT_BODY_EGRESS, 0, Ipv4(kUs, kOther)), TC_ACT_SHOT);
  EXPECT_EQ(Verdict(SABOT_BODY_EGRESS, 0, Ipv4(kUs, {10, 0, 1, 1})), kPass);
  EXPECT_EQ(Verdict(SABOT_BODY_EGRESS, 0, Ipv6(1, 2)), TC_ACT_SHOT);
}

TEST_F(NetworkProgramsTest, LosesSilentlyWhatAWireWouldLose) {
  SetRule(0, 0, {.all_peers = true, .silent = true});
  EXPECT_EQ(Verdict(SABOT_BODY_EGRESS, 0, Ipv4(kUs, kPeer)), TC_ACT_REDIRECT);
  EXPECT_EQ(Counts(0, 0).affected, 1u);
}

TEST_F(NetworkProgramsTest, LetsArpPassEvenWhenEverythingIsDropped) {
  SetRule(0, 0, {.all_peers = true});
  EXPECT_EQ(Verdict(SABOT_BODY_EGRESS, 0, Ethernet(0x0806, Bytes(28, 0))), kPass);
  EXPECT_EQ(Counts(0, 0).matched, 0u);
}

TEST_F(NetworkProgramsTest, DoesNothingOnceTheRuleHasEnded) {
  SetRule(0, 0, {.end_ns = BootTimeNs() - 1, .all_peers = true});
  EXPECT_EQ(Verdict(SABOT_BODY_EGRESS, 0, Ipv4(kUs, kPeer)), kPass);
  EXPECT_EQ(Counts(0, 0).matched, 0u);
}

TEST_F(NetworkProgramsTest, DoesNothingOnceTheLeaseHasEnded) {
  SetRule(0, 0, {.all_peers = true});
  programs_->SetLease(BootTimeNs() - 1);
  EXPECT_EQ(Verdict(SABOT_BODY_EGRESS, 0, Ipv4(kUs, kPeer)), kPass);
  programs_->SetLease(BootTimeNs() + 10'000'000'000);
  EXPECT_EQ(Verdict(SABOT_BODY_EGRESS, 0, Ipv4(kUs, kPeer)), TC_ACT_SHOT);
}

TEST_F(NetworkProgramsTest, SparesLoopbackAndOtherDevices) {
  SetRule(0, 0, {.ifindex = 0, .all_peers = true});
  EXPECT_EQ(Verdict(SABOT_BODY_EGRESS, 0, Ipv4(kUs, kPeer)), kPass) << "the test device is loopback";
  SetRule(1, 0, {.ifindex = 7, .all_peers = true});
  EXPECT_EQ(Verdict(SABOT_BODY_EGRESS, 1, Ipv4(kUs, kPeer)), kPass);
}

TEST_F(NetworkProgramsTest, KeepsLanesApart) {
  SetRule(1, 0, {.peers = {Net4(kPeer, 32)}});
  EXPECT_EQ(Verdict(SABOT_BODY_EGRESS, 0, Ipv4(kUs, kPeer)), kPass);
  EXPECT_EQ(Verdict(SABOT_BODY_EGRESS, 1, Ipv4(kUs, kPeer)), TC_ACT_SHOT);
}

TEST_F(NetworkProgramsTest, PassesWhenTheOwnerIsGone) {
  SetRule(0, 0, {.all_peers = true});
  auto entry = programs_->MakeEntry(SABOT_BODY_EGRESS, 0);
  ASSERT_TRUE(entry.ok());
  programs_.reset();
  // The kernel empties the program array from a work queue.
  const uint64_t patience_ns = BootTimeNs() + 5'000'000'000;
  int verdict = TC_ACT_SHOT;
  while (verdict != kPass && BootTimeNs() < patience_ns) {
    Bytes packet = Ipv4(kUs, kPeer);
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet.data(),
                .data_size_in = static_cast<uint32_t>(packet.size()), .repeat = 1);
    ASSERT_EQ(bpf_prog_test_run_opts(entry->get(), &options), 0);
    verdict = static_cast<int>(options.retval);
  }
  EXPECT_EQ(verdict, kPass);
}

TEST_F(NetworkProgramsTest, RollsEachRuleByItself) {
  constexpr int kPackets = 200'000;
  SetRule(0, 0, {.chance = 0.3, .all_peers = true});
  SetRule(0, 1, {.chance = 0.5, .all_peers = true});
  Verdict(SABOT_BODY_EGRESS, 0, Ipv4(kUs, kPeer), kPackets);
  const auto first = Counts(0, 0), second = Counts(0, 1);
  // Five sigma: one false alarm in two million runs.
  EXPECT_EQ(first.matched, static_cast<uint64_t>(kPackets));
  EXPECT_NEAR(static_cast<double>(first.affected), 0.3 * kPackets, 1025);
  EXPECT_EQ(second.matched, kPackets - first.affected) << "the second rule meets what the first one let pass";
  EXPECT_NEAR(static_cast<double>(second.affected), 0.5 * static_cast<double>(second.matched), 940);
}

TEST_F(NetworkProgramsTest, NeverDropsAtZeroAndAlwaysAtOne) {
  SetRule(0, 0, {.chance = 0, .all_peers = true});
  Verdict(SABOT_BODY_EGRESS, 0, Ipv4(kUs, kPeer), 100'000);
  EXPECT_EQ(Counts(0, 0).affected, 0u);
  SetRule(1, 0, {.chance = 1, .all_peers = true});
  Verdict(SABOT_BODY_EGRESS, 1, Ipv4(kUs, kPeer), 100'000);
  EXPECT_EQ(Counts(1, 0).affected, 100'000u);
}

TEST_F(NetworkProgramsTest, CarriesSixtyFourRules) {
  auto programs = NetworkPrograms::Create({.lanes = 1, .rules = SABOT_LANE_RULES, .hosts = 1});
  ASSERT_TRUE(programs.ok()) << programs.status();
  programs_ = *std::move(programs);
  programs_->SetLease(kFarFuture);
  for (int bit = 0; bit < SABOT_LANE_RULES; ++bit) {
    programs_->rules()[bit] = {
        .end_ns = kFarFuture, .delay_ns = 0, .chance = 0, .ifindex = kTestDevice, .ordinal = 0, .silent = 0};
    programs_->lanes()[0].rule[bit] = bit;
  }
  programs_->lanes()[0].all_peers = ~0ull;
  programs_->lanes()[0].duty[SABOT_DROP_EGRESS] = ~0ull;
  EXPECT_EQ(Verdict(SABOT_BODY_EGRESS, 0, Ipv4(kUs, kPeer)), kPass);
  for (int bit = 0; bit < SABOT_LANE_RULES; ++bit) EXPECT_EQ(programs_->Counts(bit)->matched, 1u) << bit;
}

TEST_F(NetworkProgramsTest, CgroupBodiesAnswerAsCgroupsDo) {
  SetRule(0, 0, {.duty = SABOT_DROP_CGROUP_EGRESS, .peers = {Net4(kPeer, 32)}});
  EXPECT_EQ(Verdict(SABOT_BODY_CGROUP_EGRESS, 0, Ipv4(kUs, kPeer)), 0);
  EXPECT_EQ(Verdict(SABOT_BODY_CGROUP_EGRESS, 0, Ipv4(kUs, kOther)), 1);
}

}  // namespace
}  // namespace sabot::loader
