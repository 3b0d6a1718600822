// SPDX-License-Identifier: Apache-2.0
//
// The trees of prefixes, as built by loader/prefix_tree.cc and read by bpf/network.bpf.c, against the plain
// definition: an address has the rules of every prefix that covers it. Needs root.
#include "loader/prefix_tree.h"

#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>

#include <map>
#include <memory>
#include <random>
#include <vector>

#include "agent/network/prefix_table.h"
#include "loader/network_programs.h"

namespace sabot::loader {
namespace {

constexpr int kRules = 16;

// Loads rules with their prefixes, and asks the program which of them a packet to an address meets.
class PrefixTreeTest : public testing::Test {
 protected:
  void SetUp() override {
    auto programs = NetworkPrograms::Create({.lanes = 2, .rules = kRules, .hosts = 20'000});
    ASSERT_TRUE(programs.ok()) << programs.status();
    programs_ = *std::move(programs);
    programs_->SetLease(UINT64_MAX);
    for (uint32_t rule = 0; rule < kRules; ++rule) {
      programs_->rules()[rule] = {.end_ns = UINT64_MAX,
                                  .delay_ns = 0,
                                  .chance = 0,
                                  .ifindex = 1,  // where BPF_PROG_TEST_RUN sends
                                  .ordinal = 0,
                                  .silent = 0};
      lane().rule[rule] = rule;
    }
    const uint64_t all = (1ull << kRules) - 1;
    lane().duty[SABOT_DROP_EGRESS] = lane().hosts4 = lane().hosts6 = lane().nets4 = lane().nets6 = all;
    auto entry = programs_->MakeEntry(SABOT_BODY_EGRESS, kLane);
    ASSERT_TRUE(entry.ok()) << entry.status();
    entry_ = *std::move(entry);
  }

  void Set(int rule, const std::vector<Prefix>& prefixes) {
    rules_[rule] = prefixes;
    const auto changes = table_.Set(rule, prefixes);
    for (const auto& [host, rules] : changes.hosts) {
      ASSERT_TRUE((rules ? programs_->SetHost(kLane, host, rules) : programs_->EraseHost(kLane, host)).ok());
    }
    for (const bool v6 : {false, true}) {
      const auto& nets = v6 ? changes.nets6 : changes.nets4;
      ASSERT_TRUE(!nets || programs_->SetNets(kLane, v6, *nets).ok());
    }
  }

  uint64_t Met(const Prefix& host) {
    std::vector<uint8_t> packet(14 + 40 + 20, 0);
    packet[12] = host.v6 ? 0x86 : 0x08;
    packet[13] = host.v6 ? 0xdd : 0x00;
    packet[14] = host.v6 ? 0x60 : 0x45;
    std::copy_n(host.address.begin(), host.v6 ? 16 : 4, packet.begin() + 14 + (host.v6 ? 24 : 16));
    for (uint32_t rule = 0; rule < kRules; ++rule) EXPECT_TRUE(programs_->ClearCounts(rule).ok());
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet.data(),
                .data_size_in = static_cast<uint32_t>(packet.size()), .repeat = 1);
    EXPECT_EQ(bpf_prog_test_run_opts(entry_.get(), &options), 0);
    uint64_t met = 0;
    for (uint32_t rule = 0; rule < kRules; ++rule) met |= programs_->Counts(rule)->matched << rule;
    return met;
  }

  uint64_t Expected(const Prefix& host) const {
    uint64_t expected = 0;
    for (const auto& [rule, prefixes] : rules_) {
      for (const Prefix& prefix : prefixes) {
        bool same = prefix.v6 == host.v6;
        for (int bit = 0; same && bit < prefix.length; ++bit) {
          same = !((prefix.address[bit / 8] ^ host.address[bit / 8]) & 0x80 >> bit % 8);
        }
        if (same) expected |= uint64_t{1} << rule;
      }
    }
    return expected;
  }

  sabot_lane& lane() { return programs_->lanes()[kLane]; }

  static constexpr uint32_t kLane = 1;
  std::unique_ptr<NetworkPrograms> programs_;
  UniqueFd entry_;
  agent::PrefixTable table_;
  std::map<int, std::vector<Prefix>> rules_;
};

// Addresses with few different bits, so that prefixes nest and part at every position.
Prefix Random(std::mt19937& rng, bool v6, int length) {
  Prefix prefix = {.v6 = v6, .address = {}, .length = static_cast<uint8_t>(length)};
  for (int i = 0; i < (v6 ? 16 : 4); ++i) {
    const uint32_t random = rng();
    prefix.address[i] = static_cast<uint8_t>(random >> 24 & (random & 1 ? 0x11 : random & 2 ? 0x81 : 0));
  }
  for (int bit = length; bit < 128; ++bit) prefix.address[bit / 8] &= ~(0x80 >> bit % 8);
  return prefix;
}

TEST_F(PrefixTreeTest, AgreesWithTheDefinitionOnRandomRules) {
  std::mt19937 rng(11);
  for (int round = 0; round < 60; ++round) {
    std::vector<Prefix> prefixes(rng() % 60);
    for (Prefix& prefix : prefixes) {
      const bool v6 = rng() % 2;
      prefix = Random(rng, v6, static_cast<int>(rng() % (v6 ? 129 : 33)));
    }
    Set(static_cast<int>(rng() % kRules), prefixes);
    for (int probe = 0; probe < 60; ++probe) {
      const bool v6 = rng() % 2;
      const Prefix host = Random(rng, v6, v6 ? 128 : 32);
      ASSERT_EQ(Met(host), Expected(host)) << "round " << round << " probe " << probe;
    }
  }
}

// Deeper than what a leaf holds by itself, and beside the innermost one at every length.
TEST_F(PrefixTreeTest, FindsTheLongestOfManyAroundOneAddress) {
  for (const bool v6 : {false, true}) {
    const int bits = v6 ? 128 : 32;
    std::vector<Prefix> odd, even;
    for (int length = 0; length <= bits; ++length) {
      (length % 2 ? odd : even).push_back({.v6 = v6, .address = {}, .length = static_cast<uint8_t>(length)});
    }
    Set(0, even);
    Set(1, odd);
    for (int differs = 0; differs < bits; ++differs) {
      Prefix host = {.v6 = v6, .address = {}, .length = static_cast<uint8_t>(bits)};
      host.address[differs / 8] = static_cast<uint8_t>(0x80 >> differs % 8);
      EXPECT_EQ(Met(host), Expected(host)) << "bit " << differs;
    }
  }
}

// The map of cells is replaced by a larger one several times on the way, and cells are used again.
TEST_F(PrefixTreeTest, GrowsAndStaysRight) {
  std::mt19937 rng(13);
  for (const size_t count : {100u, 1000u, 10'000u, 10u, 10'000u}) {
    std::vector<Prefix> prefixes(count);
    for (Prefix& prefix : prefixes) {
      prefix = {.v6 = false, .address = {}, .length = static_cast<uint8_t>(16 + rng() % 16)};
      for (int i = 0; i < 4; ++i) prefix.address[i] = static_cast<uint8_t>(rng());
      prefix.address[0] = 10;
      for (int bit = prefix.length; bit < 32; ++bit) prefix.address[bit / 8] &= ~(0x80 >> bit % 8);
    }
    Set(0, prefixes);
    for (int probe = 0; probe < 200; ++probe) {
      Prefix host = prefixes[rng() % count];
      host.length = 32;
      host.address[3] ^= static_cast<uint8_t>(rng());
      ASSERT_EQ(Met(host), Expected(host)) << count << " prefixes, probe " << probe;
    }
  }
}

TEST_F(PrefixTreeTest, AnEmptyListMatchesNothing) {
  const Prefix all = {.v6 = false, .address = {}, .length = 0};
  const Prefix host = {.v6 = false, .address = {10, 0, 0, 1}, .length = 32};
  Set(0, {all});
  EXPECT_EQ(Met(host), 1u);
  Set(0, {});
  EXPECT_EQ(Met(host), 0u);
}

}  // namespace
}  // namespace sabot::loader
