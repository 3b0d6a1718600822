// SPDX-License-Identifier: Apache-2.0
#include "loader/netlink_wire.h"

#include <gtest/gtest.h>
#include <linux/rtnetlink.h>

#include "loader/netlink_address.h"
#include "loader/netlink_filter.h"
#include "loader/netlink_link.h"
#include "loader/netlink_qdisc.h"

namespace sabot::loader {
namespace {

std::vector<std::byte> Message(uint16_t type, const WireWriter& body, uint16_t flags = 0) {
  nlmsghdr header{};
  header.nlmsg_len = static_cast<uint32_t>(sizeof(nlmsghdr) + body.bytes().size());
  header.nlmsg_type = type;
  header.nlmsg_flags = flags;
  std::vector<std::byte> bytes = WireWriter().Struct(header).bytes();
  bytes.insert(bytes.end(), body.bytes().begin(), body.bytes().end());
  return bytes;
}

TEST(Wire, AttributesAreFoundAgain) {
  WireWriter writer = WireWriter().Text(1, "odd").Value(2, uint32_t{7}).Text(3, "x");
  writer.Nested(4, WireWriter().Value(5, uint16_t{9}));
  Attributes attributes(writer.bytes());
  EXPECT_EQ(attributes.Text(1), "odd");
  EXPECT_EQ(attributes.Value<uint32_t>(2), 7u);
  EXPECT_EQ(attributes.Text(3), "x");
  EXPECT_EQ(attributes.Nested(4).Value<uint16_t>(5), 9);
  EXPECT_EQ(attributes.Find(6), std::nullopt);
  EXPECT_EQ(attributes.Text(6), "");
  EXPECT_EQ(attributes.Value<uint64_t>(2), std::nullopt) << "too short for the type";
}

TEST(Wire, NestedFlagDoesNotHideAnAttribute) {
  WireWriter writer = WireWriter().Nested(4 | NLA_F_NESTED, WireWriter().Value(5, uint16_t{9}));
  EXPECT_EQ(Attributes(writer.bytes()).Nested(4).Value<uint16_t>(5), 9);
}

TEST(Wire, LyingLengthsEndTheSearch) {
  WireWriter writer = WireWriter().Value(1, uint32_t{1}).Value(2, uint32_t{2});
  for (uint16_t lie : {0, 3, 17, 0xFFFF}) {
    std::vector<std::byte> bytes = writer.bytes();
    std::memcpy(bytes.data(), &lie, sizeof(lie));
    EXPECT_EQ(Attributes(bytes).Find(2), std::nullopt) << lie;
  }
}

TEST(Wire, TextWithoutTerminatorEndsWithItsAttribute) {
  const char raw[] = {'a', 'b', 'c'};
  WireWriter writer = WireWriter().Attribute(1, std::as_bytes(std::span(raw))).Text(2, "next");
  EXPECT_EQ(Attributes(writer.bytes()).Text(1), "abc");
}

TEST(Wire, DatagramsAreSplit) {
  std::vector<std::byte> one = Message(RTM_NEWLINK, WireWriter().Struct(ifinfomsg{}));
  std::vector<std::byte> two = Message(RTM_NEWADDR, WireWriter().Struct(ifaddrmsg{}));
  std::vector<std::byte> both = one;
  both.insert(both.end(), two.begin(), two.end());
  ASSERT_EQ(SplitMessages(both).size(), 2u);
  EXPECT_EQ(SplitMessages(both)[1].size(), two.size());
  both.pop_back();
  EXPECT_EQ(SplitMessages(both).size(), 1u) << "the second is cut short";
  EXPECT_TRUE(SplitMessages({}).empty());
}

TEST(Wire, AckCarriesErrorAndText) {
  nlmsgerr error{.error = -17};
  error.msg.nlmsg_len = sizeof(nlmsghdr);
  WireWriter body = WireWriter().Struct(error).Text(NLMSGERR_ATTR_MSG, "taken");
  EXPECT_EQ(ReadAck(Message(NLMSG_ERROR, body, NLM_F_ACK_TLVS | NLM_F_CAPPED)).error, 17);
  EXPECT_EQ(ReadAck(Message(NLMSG_ERROR, body, NLM_F_ACK_TLVS | NLM_F_CAPPED)).text, "taken");
  EXPECT_EQ(ReadAck(Message(NLMSG_ERROR, body, 0)).text, "") << "no text is announced";
}

TEST(Wire, AckSkipsTheRequestItRepeats) {
  nlmsgerr error{.error = -17};
  error.msg.nlmsg_len = sizeof(nlmsghdr) + 8;
  WireWriter body = WireWriter().Struct(error).Struct(uint64_t{0x5555}).Text(NLMSGERR_ATTR_MSG, "taken");
  EXPECT_EQ(ReadAck(Message(NLMSG_ERROR, body, NLM_F_ACK_TLVS)).text, "taken");
}

TEST(Wire, AckOfRubbishIsNoCrash) {
  EXPECT_EQ(ReadAck({}).error, 0);
  EXPECT_EQ(ReadAck(Message(NLMSG_ERROR, WireWriter().Struct(INT32_MIN))).error, 0);
  nlmsgerr error{.error = -1};
  error.msg.nlmsg_len = 0xFFFFFFFF;
  EXPECT_EQ(ReadAck(Message(NLMSG_ERROR, WireWriter().Struct(error), NLM_F_ACK_TLVS)).error, 1);
}

// A message of each type that has everything its parser reads.
std::vector<std::vector<std::byte>> WholeMessages() {
  WireWriter info = WireWriter().Text(IFLA_INFO_KIND, "veth");
  WireWriter link = WireWriter().Struct(ifinfomsg{.ifi_index = 3}).Text(IFLA_IFNAME, "eth0");
  link.Value(IFLA_MTU, uint32_t{1500}).Nested(IFLA_LINKINFO, info);
  WireWriter address = WireWriter().Struct(ifaddrmsg{.ifa_family = AF_INET, .ifa_prefixlen = 8});
  address.Value(IFA_LOCAL, uint32_t{1});
  WireWriter qdisc = WireWriter().Struct(tcmsg{.tcm_ifindex = 3}).Text(TCA_KIND, "fq");
  qdisc.Nested(TCA_OPTIONS, WireWriter().Value(1, uint32_t{1}));
  WireWriter filter = WireWriter().Struct(tcmsg{.tcm_handle = 1}).Text(TCA_KIND, "bpf");
  filter.Nested(TCA_OPTIONS, WireWriter().Text(7, "name").Value(11, uint32_t{1}));
  return {Message(RTM_NEWLINK, link), Message(RTM_NEWADDR, address), Message(RTM_NEWQDISC, qdisc),
          Message(RTM_NEWTFILTER, filter)};
}

// Cut anywhere, a parser answers something, and never reads on (ASan would tell).
TEST(Parsers, TakeMessagesCutAnywhere) {
  for (const std::vector<std::byte>& whole : WholeMessages()) {
    for (size_t size = 0; size <= whole.size(); ++size) {
      std::vector<std::byte> cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
      cut.shrink_to_fit();
      bool parsed = ParseLink(cut) || ParseAddress(cut) || ParseQdisc(cut) || ParseFilter(cut);
      EXPECT_EQ(parsed, size == whole.size());
    }
  }
}

TEST(Parsers, RefuseOtherTypes) {
  std::vector<std::vector<std::byte>> messages = WholeMessages();
  EXPECT_TRUE(ParseLink(messages[0]));
  EXPECT_FALSE(ParseLink(messages[1]));
  EXPECT_FALSE(ParseAddress(messages[0]));
  EXPECT_FALSE(ParseQdisc(messages[3]));
  EXPECT_FALSE(ParseFilter(messages[2]));
}

}  // namespace
}  // namespace sabot::loader
