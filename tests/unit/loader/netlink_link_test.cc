// SPDX-License-Identifier: Apache-2.0
#include "loader/netlink_link.h"

#include <net/if_arp.h>

#include "tests/unit/loader/testbed.h"

namespace sabot::loader {
namespace {

using NetlinkLink = NetnsTest;

std::string MacText(const std::array<uint8_t, 6>& mac) {
  char text[18];
  std::snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
                mac[5]);
  return text;
}

TEST_F(NetlinkLink, AFreshNamespaceHasLoopbackOnly) {
  absl::StatusOr<Link> lo = FindLink(netlink(), "lo");
  ASSERT_OK(lo);
  EXPECT_EQ(lo->ifindex, 1);
  EXPECT_EQ(lo->kind, "loopback");
  EXPECT_EQ(lo->arphrd, ARPHRD_LOOPBACK);
  EXPECT_FALSE(lo->up);
  EXPECT_EQ(lo->mtu, 65536u);
}

TEST_F(NetlinkLink, ListAgreesWithIproute) {
  MakeVeth();
  nlohmann::json shown = Json("ip -j -d link show");
  absl::StatusOr<std::vector<Link>> links = ListLinks(netlink());
  ASSERT_OK(links);
  ASSERT_EQ(links->size(), shown.size());
  for (size_t i = 0; i < links->size(); ++i) {
    const Link& link = (*links)[i];
    EXPECT_EQ(link.ifindex, shown[i]["ifindex"]);
    EXPECT_EQ(link.name, shown[i]["ifname"]);
    EXPECT_EQ(link.mtu, shown[i]["mtu"]);
    EXPECT_EQ(MacText(link.mac), shown[i]["address"]);
    if (link.name != "lo") {
      EXPECT_EQ(link.kind, shown[i]["linkinfo"]["info_kind"]);
    }
  }
}

TEST_F(NetlinkLink, IsFoundByNameAndByIndex) {
  int ifindex = MakeVeth();
  absl::StatusOr<Link> by_name = FindLink(netlink(), "a");
  absl::StatusOr<Link> by_index = FindLink(netlink(), ifindex);
  ASSERT_OK(by_name);
  ASSERT_OK(by_index);
  EXPECT_EQ(by_name->ifindex, ifindex);
  EXPECT_EQ(by_index->name, "a");
  EXPECT_EQ(by_index->kind, "veth");
}

TEST_F(NetlinkLink, MissingOnesAreNamed) {
  absl::Status by_name = FindLink(netlink(), "nosuch").status();
  EXPECT_TRUE(absl::IsNotFound(by_name)) << by_name;
  EXPECT_EQ(by_name.message(), "find device nosuch in " + netns().Describe() + ": No such device");
  EXPECT_TRUE(absl::IsNotFound(FindLink(netlink(), 4711).status()));
  EXPECT_TRUE(absl::IsNotFound(FindLink(netlink(), 0).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(FindLink(netlink(), std::string(16, 'x')).status()));
  EXPECT_EQ(DescribeDevice(netlink(), 4711), "interface 4711 in " + netns().Describe());
}

TEST_F(NetlinkLink, GoesUpAndDown) {
  int ifindex = MakeVeth();
  ASSERT_OK(SetLinkUp(netlink(), ifindex, true));
  ASSERT_OK(SetLinkUp(netlink(), FindLink(netlink(), "b")->ifindex, true));
  EXPECT_TRUE(FindLink(netlink(), ifindex)->up);
  EXPECT_TRUE(FindLink(netlink(), ifindex)->carrier);
  EXPECT_EQ(Run("ip -j link show up dev a | grep -c LOWER_UP").exit_code, 0);
  ASSERT_OK(SetLinkUp(netlink(), ifindex, false));
  EXPECT_FALSE(FindLink(netlink(), ifindex)->up);
}

TEST_F(NetlinkLink, ChangesMtu) {
  int ifindex = MakeVeth();
  ASSERT_OK(SetLinkMtu(netlink(), ifindex, 1400));
  EXPECT_EQ(Json("ip -j link show dev a")[0]["mtu"], 1400);
  absl::Status status = SetLinkMtu(netlink(), ifindex, 10);
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_EQ(
      status.message().find(absl::StrCat("set mtu 10 of a in ", netns().Describe(), ": Invalid argument")),
      0u)
      << status;
}

TEST_F(NetlinkLink, VethPairSpansNamespaces) {
  absl::StatusOr<Netns> other = Netns::Create();
  ASSERT_OK(other);
  absl::StatusOr<int> here = CreateVethPair(netlink(), "near", *other, "far");
  ASSERT_OK(here);
  absl::StatusOr<Netlink> there = Netlink::Open(*other);
  ASSERT_OK(there);
  absl::StatusOr<Link> far = FindLink(*there, "far");
  ASSERT_OK(far);
  EXPECT_EQ(far->peer, *here);
  EXPECT_EQ(FindLink(netlink(), "near")->peer, far->ifindex);
  EXPECT_TRUE(absl::IsNotFound(FindLink(netlink(), "far").status()));
}

TEST_F(NetlinkLink, VethPairLeavesNothingWhenOneNameIsTaken) {
  MakeVeth();
  absl::Status status = CreateVethPair(netlink(), "c", netns(), "b").status();
  EXPECT_TRUE(absl::IsAlreadyExists(status)) << status;
  EXPECT_TRUE(absl::IsNotFound(FindLink(netlink(), "c").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(CreateVethPair(netlink(), "c", netns(), "").status()));
  EXPECT_EQ(ListLinks(netlink())->size(), 3u);
}

TEST_F(NetlinkLink, MovesToAnotherNamespace) {
  int ifindex = MakeVeth();
  absl::StatusOr<Netns> other = Netns::Create();
  ASSERT_OK(other);
  ASSERT_OK(MoveLink(netlink(), ifindex, *other));
  EXPECT_TRUE(absl::IsNotFound(FindLink(netlink(), "a").status()));
  absl::StatusOr<Netlink> there = Netlink::Open(*other);
  ASSERT_OK(there);
  EXPECT_OK(FindLink(*there, "a"));
}

TEST_F(NetlinkLink, RemoveSaysWhetherItWasThere) {
  int ifindex = MakeVeth();
  absl::StatusOr<bool> first = RemoveLink(netlink(), ifindex);
  ASSERT_OK(first);
  EXPECT_TRUE(*first);
  absl::StatusOr<bool> second = RemoveLink(netlink(), ifindex);
  ASSERT_OK(second);
  EXPECT_FALSE(*second);
  EXPECT_FALSE(*RemoveLink(netlink(), 0));
}

TEST_F(NetlinkLink, CannotRemoveLoopback) {
  absl::StatusOr<bool> removed = RemoveLink(netlink(), 1);
  EXPECT_FALSE(removed.ok());
}

TEST_F(NetlinkLink, CreatesByKind) {
  absl::StatusOr<int> bridge = CreateLink(netlink(), "bridge", "br");
  if (Run("ip link add probe type bridge").exit_code != 0) {
    EXPECT_TRUE(absl::IsUnimplemented(bridge.status())) << bridge.status();
    GTEST_SKIP() << "this kernel has no bridge";
  }
  ASSERT_OK(bridge);
  EXPECT_EQ(FindLink(netlink(), *bridge)->kind, "bridge");
  EXPECT_TRUE(absl::IsAlreadyExists(CreateLink(netlink(), "bridge", "br").status()));
  int veth = MakeVeth();
  EXPECT_EQ(Run("ip link set dev a master br").exit_code, 0);
  EXPECT_EQ(FindLink(netlink(), veth)->master, *bridge);
}

TEST_F(NetlinkLink, UnknownKindIsUnimplemented) {
  absl::Status status = CreateLink(netlink(), "sabotnone", "x").status();
  EXPECT_TRUE(absl::IsUnimplemented(status)) << status;
  EXPECT_EQ(status.message().find(absl::StrCat("create sabotnone device x in ", netns().Describe(), ": ")),
            0u)
      << status;
}

TEST_F(NetlinkLink, OwnedOneGoesWithItsOwner) {
  {
    absl::StatusOr<OwnedLink> owned = OwnedLink::Create(shared_netlink(), "ifb", "i");
    ASSERT_OK(owned);
    EXPECT_EQ(FindLink(netlink(), "i")->ifindex, owned->ifindex());
    OwnedLink moved = *std::move(owned);
    EXPECT_OK(FindLink(netlink(), "i"));
  }
  EXPECT_TRUE(absl::IsNotFound(FindLink(netlink(), "i").status()));
}

TEST_F(NetlinkLink, OwnedOneMayBeGoneAlready) {
  absl::StatusOr<OwnedLink> owned = OwnedLink::Create(shared_netlink(), "ifb", "i");
  ASSERT_OK(owned);
  ASSERT_EQ(Run("ip link del i").exit_code, 0);
  EXPECT_OK(owned->Remove());
  EXPECT_OK(owned->Remove());
}

}  // namespace
}  // namespace sabot::loader
