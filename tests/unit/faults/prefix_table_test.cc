// SPDX-License-Identifier: Apache-2.0
#include "agent/network/prefix_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace sabot::agent {
namespace {

using loader::Prefix;

Prefix V4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint8_t length) {
  Prefix prefix = {.v6 = false, .address = {a, b, c, d}, .length = length};
  return prefix;
}

// What the kernel's maps would hold.
class Kernel {
 public:
  void Make(const PrefixTable::Changes& changes) {
    for (const auto& [host, rules] : changes.hosts) {
      if (rules == 0) {
        ASSERT_EQ(entries_.erase(host), 1u) << "erased what was not there";
      } else {
        ASSERT_NE(entries_[host], rules) << "wrote what was there";
        entries_[host] = rules;
      }
    }
    if (changes.nets4) SetNets(false, *changes.nets4);
    if (changes.nets6) SetNets(true, *changes.nets6);
  }

  // Longest match, as the kernel does it.
  uint64_t Lookup(const Prefix& host) const {
    uint64_t mask = 0;
    int longest = -1;
    for (const auto& [prefix, value] : entries_) {
      if (Matches(prefix, host) && prefix.length > longest) {
        longest = prefix.length;
        mask = value;
      }
    }
    return mask;
  }

  static bool Matches(const Prefix& prefix, const Prefix& host) {
    if (prefix.v6 != host.v6) return false;
    for (int bit = 0; bit < prefix.length; ++bit) {
      if ((prefix.address[bit / 8] ^ host.address[bit / 8]) & 0x80 >> bit % 8) return false;
    }
    return true;
  }

  size_t size() const { return entries_.size(); }

 private:
  void SetNets(bool v6, const std::vector<loader::PrefixRules>& nets) {
    const auto before = entries_;
    std::erase_if(entries_, [&](const auto& entry) { return entry.first.v6 == v6 && !entry.first.host(); });
    for (const auto& [net, rules] : nets) {
      ASSERT_TRUE(!net.host() && net.v6 == v6 && rules != 0);
      entries_[net] = rules;
    }
    ASSERT_NE(entries_, before) << "wrote what was there";
  }

  std::map<Prefix, uint64_t> entries_;
};

TEST(PrefixTable, GivesAPrefixTheRulesOfThoseAroundIt) {
  PrefixTable table;
  Kernel kernel;
  kernel.Make(table.Set(0, {V4(10, 0, 0, 0, 8)}));
  kernel.Make(table.Set(1, {V4(10, 1, 0, 0, 16)}));
  kernel.Make(table.Set(2, {V4(10, 1, 2, 3, 32)}));
  EXPECT_EQ(kernel.Lookup(V4(10, 9, 9, 9, 32)), 0b001u);
  EXPECT_EQ(kernel.Lookup(V4(10, 1, 9, 9, 32)), 0b011u);
  EXPECT_EQ(kernel.Lookup(V4(10, 1, 2, 3, 32)), 0b111u);
  EXPECT_EQ(kernel.Lookup(V4(11, 1, 2, 3, 32)), 0u);
}

TEST(PrefixTable, ChangesOnlyWhatDiffers) {
  PrefixTable table;
  table.Set(0, {V4(10, 0, 0, 0, 8), V4(192, 168, 0, 0, 16)});
  const auto same = table.Set(0, {V4(10, 0, 0, 0, 8), V4(192, 168, 0, 0, 16)});
  EXPECT_TRUE(same.hosts.empty() && !same.nets4 && !same.nets6);
  const auto changes = table.Set(1, {V4(10, 0, 0, 1, 32)});
  EXPECT_TRUE(!changes.nets4 && !changes.nets6);
  ASSERT_EQ(changes.hosts.size(), 1u);
  EXPECT_EQ(changes.hosts[0].rules, 0b11u);
}

TEST(PrefixTable, IsEmptyAfterTheLastRule) {
  PrefixTable table;
  Kernel kernel;
  kernel.Make(table.Set(5, {V4(10, 0, 0, 0, 8), V4(10, 0, 0, 1, 32)}));
  kernel.Make(table.Set(5, {}));
  EXPECT_EQ(kernel.size(), 0u);
}

TEST(PrefixTable, KeepsTheFamiliesApart) {
  PrefixTable table;
  Kernel kernel;
  Prefix all6 = {.v6 = true, .address = {}, .length = 0};
  kernel.Make(table.Set(0, {V4(0, 0, 0, 0, 0)}));
  kernel.Make(table.Set(1, {all6}));
  EXPECT_EQ(kernel.Lookup(V4(1, 2, 3, 4, 32)), 0b01u);
  Prefix host6 = {.v6 = true, .address = {0xfd}, .length = 128};
  EXPECT_EQ(kernel.Lookup(host6), 0b10u);
}

// Against the plain definition: an address has the rules of every prefix that matches it.
TEST(PrefixTable, AgreesWithTheDefinitionOnRandomRules) {
  std::mt19937 rng(7);
  const auto random_prefix = [&] {
    Prefix prefix = V4(10, rng() % 4, rng() % 4, rng() % 8, 0);
    prefix.length = static_cast<uint8_t>(8 + rng() % 25);
    for (size_t bit = prefix.length; bit < 32; ++bit) prefix.address[bit / 8] &= ~(0x80 >> bit % 8);
    return prefix;
  };
  PrefixTable table;
  Kernel kernel;
  std::map<int, std::vector<Prefix>> rules;
  for (int round = 0; round < 400; ++round) {
    const int bit = static_cast<int>(rng() % 64);
    rules[bit].resize(rng() % 20);
    for (Prefix& prefix : rules[bit]) prefix = random_prefix();
    kernel.Make(table.Set(bit, rules[bit]));
    for (int probe = 0; probe < 20; ++probe) {
      const Prefix host = V4(10, rng() % 4, rng() % 4, rng() % 8, 32);
      uint64_t expected = 0;
      for (const auto& [rule, prefixes] : rules) {
        for (const Prefix& prefix : prefixes) {
          if (Kernel::Matches(prefix, host)) expected |= uint64_t{1} << rule;
        }
      }
      ASSERT_EQ(kernel.Lookup(host), expected);
    }
  }
}

}  // namespace
}  // namespace sabot::agent
