// SPDX-License-Identifier: Apache-2.0
#include "loader/netlink_address.h"

#include <linux/rtnetlink.h>

#include <algorithm>

#include "loader/netlink_link.h"
#include "tests/unit/loader/testbed.h"

namespace sabot::loader {
namespace {

class NetlinkAddress : public NetnsTest {
 protected:
  int MakeUpVeth() {
    int ifindex = MakeVeth();
    EXPECT_OK(SetLinkUp(netlink(), ifindex, true));
    EXPECT_OK(SetLinkUp(netlink(), FindLink(netlink(), "b")->ifindex, true));
    return ifindex;
  }
};

IpPrefix Prefix(const char* text) {
  absl::StatusOr<IpPrefix> prefix = IpPrefix::Parse(text);
  EXPECT_OK(prefix);
  return prefix.value_or(IpPrefix{});
}

TEST(IpPrefix, ParsesAndPrints) {
  EXPECT_EQ(Prefix("10.1.2.3/24").ToString(), "10.1.2.3/24");
  EXPECT_EQ(Prefix("10.1.2.3").ToString(), "10.1.2.3/32");
  EXPECT_EQ(Prefix("0.0.0.0/0").ToString(), "0.0.0.0/0");
  EXPECT_EQ(Prefix("FD00::1/64").ToString(), "fd00::1/64");
  EXPECT_EQ(Prefix("::1").ToString(), "::1/128");
  EXPECT_EQ(Prefix("10.1.2.3").address().size(), 4u);
  EXPECT_EQ(Prefix("::1").address().size(), 16u);
}

TEST(IpPrefix, RefusesEverythingElse) {
  for (std::string_view text :
       {"", "/", "10.0.0.1/", "10.0.0.1/33", "10.0.0.1/-1", "10.0.0.1/+1", "10.0.0.1/ 1", "10.0.0.1/1/1",
        "10.0.0", "::1/129", "fe80::1%eth0", "host", "10.0.0.1/99999999999"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(IpPrefix::Parse(text).status())) << text;
  }
  EXPECT_FALSE(IpPrefix::Parse(std::string_view("10.0.0.1\0/8", 11)).ok());
}

TEST_F(NetlinkAddress, BothFamiliesAreAddedAndListed) {
  int ifindex = MakeUpVeth();
  ASSERT_OK(AddAddress(netlink(), ifindex, Prefix("10.9.0.1/24")));
  ASSERT_OK(AddAddress(netlink(), ifindex, Prefix("fd09::1/64")));
  absl::StatusOr<std::vector<Address>> addresses = ListAddresses(netlink());
  ASSERT_OK(addresses);
  // The kernel adds the link's own address some time after the link is up.
  std::set<std::string> listed;
  for (const Address& address : *addresses) {
    if (address.ifindex == ifindex && address.scope != RT_SCOPE_LINK)
      listed.insert(address.prefix.ToString());
  }
  std::set<std::string> shown;
  nlohmann::json of_device = Json("ip -j addr show dev a");
  for (const auto& entry : of_device[0]["addr_info"]) {
    if (entry["scope"] == "link") continue;
    shown.insert(entry["local"].get<std::string>() + "/" + std::to_string(entry["prefixlen"].get<int>()));
    if (entry["local"] == "fd09::1") {
      EXPECT_FALSE(entry.contains("tentative"));
    }
  }
  EXPECT_EQ(listed, shown);
  EXPECT_TRUE(listed.count("10.9.0.1/24"));
  EXPECT_TRUE(listed.count("fd09::1/64"));
}

TEST_F(NetlinkAddress, ScopeIsReported) {
  ASSERT_OK(SetLinkUp(netlink(), 1, true));
  absl::StatusOr<std::vector<Address>> addresses = ListAddresses(netlink());
  ASSERT_OK(addresses);
  ASSERT_FALSE(addresses->empty());
  EXPECT_EQ(addresses->front().prefix.ToString(), "127.0.0.1/8");
  EXPECT_EQ(addresses->front().scope, RT_SCOPE_HOST);
}

TEST_F(NetlinkAddress, PointToPointReportsTheOwnAddress) {
  int ifindex = MakeUpVeth();
  ASSERT_EQ(Run("ip addr add 10.9.0.1 peer 10.9.0.2 dev a").exit_code, 0);
  absl::StatusOr<std::vector<Address>> addresses = ListAddresses(netlink());
  ASSERT_OK(addresses);
  auto own = std::find_if(addresses->begin(), addresses->end(), [&](const Address& address) {
    return address.ifindex == ifindex && address.prefix.family == AF_INET;
  });
  ASSERT_NE(own, addresses->end());
  EXPECT_EQ(own->prefix.ToString(), "10.9.0.1/32");
}

TEST_F(NetlinkAddress, ASecondOneOfTheSameIsRefused) {
  int ifindex = MakeUpVeth();
  ASSERT_OK(AddAddress(netlink(), ifindex, Prefix("10.9.0.1/24")));
  absl::Status status = AddAddress(netlink(), ifindex, Prefix("10.9.0.1/24"));
  EXPECT_TRUE(absl::IsAlreadyExists(status)) << status;
  EXPECT_EQ(status.message().find("add address 10.9.0.1/24 to a in netns "), 0u) << status;
  EXPECT_TRUE(absl::IsInvalidArgument(AddAddress(netlink(), ifindex, IpPrefix{})));
  EXPECT_TRUE(absl::IsNotFound(AddAddress(netlink(), 4711, Prefix("10.9.0.1/24"))));
}

TEST_F(NetlinkAddress, RoutesAreAdded) {
  int ifindex = MakeUpVeth();
  ASSERT_OK(AddAddress(netlink(), ifindex, Prefix("10.9.0.1/24")));
  ASSERT_OK(AddAddress(netlink(), ifindex, Prefix("fd09::1/64")));
  EXPECT_OK(AddRoute(netlink(), {.family = AF_INET, .gateway = Prefix("10.9.0.2"), .ifindex = ifindex}));
  EXPECT_OK(
      AddRoute(netlink(), {.family = AF_INET, .destination = Prefix("10.77.0.0/16"), .ifindex = ifindex}));
  EXPECT_OK(AddRoute(netlink(), {.family = AF_INET6, .gateway = Prefix("fd09::2"), .ifindex = ifindex}));
  EXPECT_OK(
      AddRoute(netlink(), {.family = AF_INET6, .destination = Prefix("fd77::/32"), .ifindex = ifindex}));
  EXPECT_EQ(Json("ip -j route show default")[0]["gateway"], "10.9.0.2");
  EXPECT_EQ(Json("ip -j route show 10.77.0.0/16")[0]["dev"], "a");
  EXPECT_EQ(Json("ip -j -6 route show default")[0]["gateway"], "fd09::2");
  EXPECT_EQ(Json("ip -j -6 route show fd77::/32")[0]["dev"], "a");
}

TEST_F(NetlinkAddress, UnreachableGatewaysAreRefused) {
  int ifindex = MakeUpVeth();
  absl::Status status =
      AddRoute(netlink(), {.family = AF_INET, .gateway = Prefix("192.0.2.1"), .ifindex = ifindex});
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(status.message().find("add route default via 192.0.2.1/32 through a in netns "), 0u) << status;
  EXPECT_FALSE(AddRoute(netlink(), {.family = AF_PACKET, .ifindex = ifindex}).ok());
}

}  // namespace
}  // namespace sabot::loader
