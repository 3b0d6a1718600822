// SPDX-License-Identifier: Apache-2.0
#include "controller/api/names.h"

#include <string>

#include "gtest/gtest.h"

namespace sabot::api {
namespace {

TEST(Names, DnsLabelHas63CharactersAtMost) {
  for (const std::string& text :
       {std::string("a"), std::string("0"), std::string("a-b"), std::string(63, 'a')}) {
    EXPECT_TRUE(IsDnsLabel(text)) << text;
  }
  for (const std::string& text :
       {std::string(), std::string("-a"), std::string("a-"), std::string("A"), std::string("a.b"),
        std::string("a_b"), std::string(64, 'a'), std::string("\u00e4")}) {
    EXPECT_FALSE(IsDnsLabel(text)) << text;
  }
}

TEST(Names, DnsSubdomainIsLabelsWithDots) {
  for (const std::string& text :
       {std::string("a"), std::string("a.b"), std::string("web-0.x"), std::string(253, 'a')}) {
    EXPECT_TRUE(IsDnsSubdomain(text)) << text;
  }
  for (const std::string& text : {std::string(), std::string("."), std::string("a."), std::string(".a"),
                                  std::string("a..b"), std::string("a/b"), std::string(254, 'a')}) {
    EXPECT_FALSE(IsDnsSubdomain(text)) << text;
  }
}

TEST(Names, LabelKeyMayHaveAPrefix) {
  for (std::string_view text : {"app", "App_1.x", "app.kubernetes.io/name", "a/b"})
    EXPECT_TRUE(IsLabelKey(text)) << text;
  for (std::string_view text : {"", "/", "a/", "/a", "a/b/c", "A/b", "-a", "a b"})
    EXPECT_FALSE(IsLabelKey(text)) << text;
}

TEST(Names, LabelValueMayBeEmpty) {
  EXPECT_TRUE(IsLabelValue(""));
  EXPECT_TRUE(IsLabelValue("1.2-x_Y"));
  EXPECT_TRUE(IsLabelValue(std::string(63, 'x')));
  EXPECT_FALSE(IsLabelValue(std::string(64, 'x')));
  EXPECT_FALSE(IsLabelValue("a b"));
  EXPECT_FALSE(IsLabelValue("."));
}

}  // namespace
}  // namespace sabot::api
