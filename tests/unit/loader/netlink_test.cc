// SPDX-License-Identifier: Apache-2.0
#include "loader/netlink.h"

#include <linux/rtnetlink.h>

#include <optional>
#include <thread>

#include "loader/netlink_link.h"
#include "loader/netlink_wire.h"
#include "tests/unit/loader/testbed.h"

namespace sabot::loader {
namespace {

TEST(Netlink, StaysInItsNamespaceWhereverItIsUsed) {
  absl::StatusOr<Netns> first = Netns::Create();
  absl::StatusOr<Netns> second = Netns::Create();
  ASSERT_OK(first);
  ASSERT_OK(second);
  absl::StatusOr<Netlink> netlink = Netlink::Open(*first);
  ASSERT_OK(netlink);
  EXPECT_EQ(netlink->netns_inode(), first->inode());
  ASSERT_OK(CreateLink(*netlink, "ifb", "here"));
  absl::StatusOr<ScopedNetns> inside = ScopedNetns::Enter(*second);
  ASSERT_OK(inside);
  EXPECT_OK(FindLink(*netlink, "here"));
  absl::Status elsewhere;
  std::thread([&] { elsewhere = FindLink(*netlink, "here").status(); }).join();
  EXPECT_OK(elsewhere);
}

TEST(Netlink, KeepsItsNamespaceAlive) {
  absl::StatusOr<Netns> netns = Netns::Create();
  ASSERT_OK(netns);
  absl::StatusOr<Netlink> netlink = Netlink::Open(*netns);
  ASSERT_OK(netlink);
  netns = absl::CancelledError();
  EXPECT_OK(CreateLink(*netlink, "ifb", "here"));
}

TEST(Netlink, ManySocketsAtOnce) {
  absl::StatusOr<Netns> netns = Netns::Create();
  ASSERT_OK(netns);
  std::vector<Netlink> sockets;
  for (int i = 0; i < 300; ++i) {
    absl::StatusOr<Netlink> netlink = Netlink::Open(*netns);
    ASSERT_OK(netlink);
    sockets.push_back(*std::move(netlink));
  }
  for (Netlink& netlink : sockets) EXPECT_OK(FindLink(netlink, "lo"));
}

TEST(Netlink, BigDumpsArriveWhole) {
  absl::StatusOr<Netns> netns = Netns::Create();
  ASSERT_OK(netns);
  absl::StatusOr<Netlink> netlink = Netlink::Open(*netns);
  ASSERT_OK(netlink);
  for (int i = 0; i < 100; ++i) ASSERT_OK(CreateLink(*netlink, "ifb", "i" + std::to_string(i)));
  absl::StatusOr<std::vector<Link>> links = ListLinks(*netlink);
  ASSERT_OK(links);
  EXPECT_EQ(links->size(), 101u);
}

TEST(Netlink, NothingStaysOpen) {
  std::set<std::string> before = OpenDescriptors();
  {
    absl::StatusOr<Netns> netns = Netns::Create();
    ASSERT_OK(netns);
    absl::StatusOr<Netlink> netlink = Netlink::Open(*netns);
    ASSERT_OK(netlink);
    EXPECT_OK(ListLinks(*netlink));
    EXPECT_FALSE(CreateLink(*netlink, "sabotnone", "x").ok());
    EXPECT_FALSE(Netns::OpenPath("/dev/null").ok());
    EXPECT_FALSE(Netns::FindByInode(1).ok());
  }
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST(Netlink, ARefusalSaysWhatTheKernelSaid) {
  absl::StatusOr<Netns> netns = Netns::Create();
  ASSERT_OK(netns);
  absl::StatusOr<Netlink> netlink = Netlink::Open(*netns);
  ASSERT_OK(netlink);
  absl::Status status = netlink->Request(
      RTM_NEWQDISC, NLM_F_CREATE,
      WireWriter().Struct(tcmsg{.tcm_ifindex = 1, .tcm_parent = 0xFFFFFFFF}).Text(TCA_KIND, "sabotnone"),
      "try this");
  EXPECT_EQ(status.message().find("try this: No such file or directory (Specified qdisc"), 0u) << status;
}

TEST(Netlink, RefusesWhatDoesNotFitIntoAnAttribute) {
  absl::StatusOr<Netns> netns = Netns::Create();
  ASSERT_OK(netns);
  absl::StatusOr<Netlink> netlink = Netlink::Open(*netns);
  ASSERT_OK(netlink);
  absl::Status status =
      netlink->Request(RTM_NEWLINK, 0, WireWriter().Text(IFLA_IFNAME, std::string(66'000, 'x')), "try this");
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
}

}  // namespace
}  // namespace sabot::loader
