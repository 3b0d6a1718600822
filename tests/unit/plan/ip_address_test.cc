// SPDX-License-Identifier: Apache-2.0
#include "controller/plan/ip_address.h"

#include <string>

#include "gtest/gtest.h"

namespace sabot::plan {
namespace {

TEST(IpAddress, BothFamilies) {
  EXPECT_EQ(IpAddress::Parse("10.0.0.1")->ToString(), "10.0.0.1");
  EXPECT_EQ(IpAddress::Parse("10.0.0.1")->bits(), 32);
  EXPECT_EQ(IpAddress::Parse("FD00:0:0::1")->ToString(), "fd00::1");
  EXPECT_EQ(IpAddress::Parse("::")->bits(), 128);
}

TEST(IpAddress, MappedIpv4IsIpv4) {
  EXPECT_EQ(*IpAddress::Parse("::ffff:10.0.0.1"), *IpAddress::Parse("10.0.0.1"));
}

TEST(IpAddress, RefusesTheRest) {
  for (const std::string& text :
       {std::string(), std::string("10.0.0"), std::string("10.0.0.256"), std::string("010.0.0.1"),
        std::string("1"), std::string("10.0.0.1/32"), std::string("fe80::1%eth0"), std::string("10.0.0.1 "),
        std::string(":::"), std::string("10.0.0.1\0x", 10), std::string(1'000'000, '1')}) {
    EXPECT_FALSE(IpAddress::Parse(text).ok()) << text.substr(0, 50);
  }
  EXPECT_EQ(IpAddress::Parse("x").status().message(), "\"x\" is no IP address");
}

TEST(IpAddress, FromBytesTakes4Or16) {
  const uint8_t bytes[17] = {10, 0, 0, 1};
  EXPECT_EQ(IpAddress::FromBytes({bytes, 4})->ToString(), "10.0.0.1");
  EXPECT_EQ(IpAddress::FromBytes({bytes, 16})->ToString(), "a00:1::");
  for (size_t size : {0, 3, 5, 15, 17}) EXPECT_FALSE(IpAddress::FromBytes({bytes, size}).ok()) << size;
}

TEST(IpPrefix, MasksTheHostBits) {
  const struct {
    std::string_view text;
    std::string_view prefix;
  } kCases[] = {
      {"10.1.2.3", "10.1.2.3/32"},           {"10.1.2.3/32", "10.1.2.3/32"},
      {"10.1.2.3/8", "10.0.0.0/8"},          {"10.255.255.255/9", "10.128.0.0/9"},
      {"10.1.2.3/0", "0.0.0.0/0"},           {"fd00::1", "fd00::1/128"},
      {"fd00:1:2::1/33", "fd00:1::/33"},     {"fd00::1/0", "::/0"},
      {"::ffff:10.1.2.3/104", "10.0.0.0/8"},
  };
  for (const auto& one : kCases) {
    const auto prefix = IpPrefix::Parse(one.text);
    ASSERT_TRUE(prefix.ok()) << one.text;
    EXPECT_EQ(prefix->ToString(), one.prefix) << one.text;
  }
}

TEST(IpPrefix, RefusesTheRest) {
  for (std::string_view text :
       {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+1", "10.0.0.0/8/8",
        "10.0.0.0/8x", "fd00::/129", "10/8", "::ffff:10.0.0.0/95", "10.0.0.0/99999999999999999999"}) {
    EXPECT_FALSE(IpPrefix::Parse(text).ok()) << text;
  }
}

}  // namespace
}  // namespace sabot::plan
