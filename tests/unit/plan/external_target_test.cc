// SPDX-License-Identifier: Apache-2.0
#include "controller/plan/external_target.h"

#include <string>

#include "controller/api/str_cat.h"
#include "gtest/gtest.h"

namespace sabot::plan {
namespace {

TEST(ExternalTarget, AddressesAndPrefixes) {
  EXPECT_EQ(ParseExternalTarget("10.0.0.1")->ToString(), "10.0.0.1/32");
  EXPECT_EQ(ParseExternalTarget("10.1.2.3/8")->ToString(), "10.0.0.0/8");
  EXPECT_EQ(ParseExternalTarget("fd00::1")->ToString(), "fd00::1/128");
  EXPECT_EQ(ParseExternalTarget("fd00::1/64")->ToString(), "fd00::/64");
}

TEST(ExternalTarget, WhatUpstreamKnowsAndThisVersionDoesNot) {
  for (std::string_view text : {"example.com", "db", "my_host", "a.b.c.d", "1.example"}) {
    EXPECT_EQ(ParseExternalTarget(text).status().message(), "host names are not supported by this version")
        << text;
  }
  for (std::string_view text :
       {"10.0.0.1:80", "10.0.0.0/8:80", "[::1]:80", "[fd00::]:1", "example.com:443"}) {
    EXPECT_EQ(ParseExternalTarget(text).status().message(), "ports are not supported by this version")
        << text;
  }
}

TEST(ExternalTarget, Nonsense) {
  for (std::string_view text :
       {"", "not an ip!", "10.0.0.300", "10.0.0.0/33", "-x", "a:b", "[::1", "http://x", "1", "::1::"}) {
    EXPECT_EQ(std::string(ParseExternalTarget(text).status().message()),
              api::StrCat("\"", text, "\" is no address, no prefix and no host name"));
  }
}

}  // namespace
}  // namespace sabot::plan
