// SPDX-License-Identifier: Apache-2.0
#include "loader/netlink_link.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <net/if_arp.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "loader/netlink_wire.h"
#include "loader/status.h"

// net/if.h and linux/if.h cannot both be included; the former lacks this one.
#ifndef IFF_LOWER_UP
#define IFF_LOWER_UP (1 << 16)
#endif

namespace sabot::loader {
namespace {

WireWriter LinkHeader(int ifindex, unsigned flags = 0, unsigned change = 0) {
  ifinfomsg header{};
  header.ifi_index = ifindex;
  header.ifi_flags = flags;
  header.ifi_change = change;
  return WireWriter().Struct(header);
}

absl::StatusOr<Link> GetLink(Netlink& netlink, const WireWriter& body, const std::string& attempt) {
  SABOT_ASSIGN_OR_RETURN(NetlinkReply reply, netlink.Exchange(RTM_GETLINK, 0, body, attempt));
  SABOT_RETURN_IF_ERROR(ReplyStatus(reply, attempt));
  if (reply.messages.size() == 1) {
    if (std::optional<Link> link = ParseLink(reply.messages[0])) return *std::move(link);
  }
  return absl::InternalError(absl::StrCat(attempt, ": the kernel's answer is not understood"));
}

// Changes an existing device; `doing` is "set up", "set mtu 1500 of".
absl::Status ChangeLink(Netlink& netlink, int ifindex, const WireWriter& body, const std::string& doing) {
  return netlink.Request(RTM_NEWLINK, 0, body, absl::StrCat(doing, " ", DescribeDevice(netlink, ifindex)));
}

// An interface name as the kernel takes it; it would cut a longer one off silently on some paths.
absl::Status CheckName(const std::string& name, const std::string& attempt) {
  if (!name.empty() && name.size() < IFNAMSIZ) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(attempt, ": a device name has 1 to ", IFNAMSIZ - 1, " bytes"));
}

absl::StatusOr<int> Create(Netlink& netlink, const std::string& name, const WireWriter& body,
                           const std::string& attempt) {
  SABOT_RETURN_IF_ERROR(CheckName(name, attempt));
  SABOT_RETURN_IF_ERROR(netlink.Request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, body, attempt));
  // Kernels before 6.2 do not tell the ifindex in the answer, so it is asked for.
  SABOT_ASSIGN_OR_RETURN(Link link, FindLink(netlink, name));
  return link.ifindex;
}

std::array<uint8_t, 6> MacOf(const Attributes& attributes) {
  std::array<uint8_t, 6> mac{};
  std::optional<ByteSpan> payload = attributes.Find(IFLA_ADDRESS);
  if (payload && payload->size() == mac.size()) std::memcpy(mac.data(), payload->data(), mac.size());
  return mac;
}

}  // namespace

std::optional<Link> ParseLink(std::span<const std::byte> message) {
  auto wire = ReadMessage<ifinfomsg>(message, RTM_NEWLINK);
  if (!wire) return std::nullopt;
  const Attributes& attributes = wire->attributes;
  Link link;
  link.ifindex = wire->header.ifi_index;
  link.arphrd = wire->header.ifi_type;
  link.up = (wire->header.ifi_flags & IFF_UP) != 0;
  link.carrier = (wire->header.ifi_flags & IFF_LOWER_UP) != 0;
  link.name = attributes.Text(IFLA_IFNAME);
  link.kind =
      link.arphrd == ARPHRD_LOOPBACK ? "loopback" : attributes.Nested(IFLA_LINKINFO).Text(IFLA_INFO_KIND);
  link.mtu = attributes.Value<uint32_t>(IFLA_MTU).value_or(0);
  link.mac = MacOf(attributes);
  link.master = attributes.Value<int32_t>(IFLA_MASTER).value_or(0);
  link.peer = attributes.Value<int32_t>(IFLA_LINK).value_or(0);
  return link;
}

absl::StatusOr<std::vector<Link>> ListLinks(Netlink& netlink) {
  SABOT_ASSIGN_OR_RETURN(auto messages, netlink.Dump(RTM_GETLINK, LinkHeader(0),
                                                     absl::StrCat("list devices in ", netlink.Describe())));
  std::vector<Link> links;
  for (const auto& message : messages) {
    if (std::optional<Link> link = ParseLink(message)) links.push_back(*std::move(link));
  }
  std::sort(links.begin(), links.end(), [](const Link& a, const Link& b) { return a.ifindex < b.ifindex; });
  return links;
}

absl::StatusOr<Link> FindLink(Netlink& netlink, std::string_view name) {
  std::string attempt = absl::StrCat("find device ", std::string(name), " in ", netlink.Describe());
  SABOT_RETURN_IF_ERROR(CheckName(std::string(name), attempt));
  return GetLink(netlink, LinkHeader(0).Text(IFLA_IFNAME, name), attempt);
}

absl::StatusOr<Link> FindLink(Netlink& netlink, int ifindex) {
  std::string attempt = absl::StrCat("find device with index ", ifindex, " in ", netlink.Describe());
  if (ifindex <= 0) return absl::NotFoundError(absl::StrCat(attempt, ": indices are positive"));
  return GetLink(netlink, LinkHeader(ifindex), attempt);
}

std::string DescribeDevice(Netlink& netlink, int ifindex) {
  absl::StatusOr<Link> link = FindLink(netlink, ifindex);
  return absl::StrCat(link.ok() ? link->name : absl::StrCat("interface ", ifindex), " in ",
                      netlink.Describe());
}

absl::Status SetLinkUp(Netlink& netlink, int ifindex, bool up) {
  return ChangeLink(netlink, ifindex, LinkHeader(ifindex, up ? IFF_UP : 0, IFF_UP),
                    up ? "set up" : "set down");
}

absl::Status SetLinkMtu(Netlink& netlink, int ifindex, uint32_t mtu) {
  return ChangeLink(netlink, ifindex, LinkHeader(ifindex).Value(IFLA_MTU, mtu),
                    absl::StrCat("set mtu ", mtu, " of"));
}

absl::Status MoveLink(Netlink& netlink, int ifindex, const Netns& to) {
  return ChangeLink(netlink, ifindex,
                    LinkHeader(ifindex).Value(IFLA_NET_NS_FD, static_cast<uint32_t>(to.fd())),
                    absl::StrCat("move to ", to.Describe(), " device"));
}

absl::StatusOr<bool> RemoveLink(Netlink& netlink, int ifindex) {
  std::string attempt = absl::StrCat("remove device ", DescribeDevice(netlink, ifindex));
  // Index 0 would make the kernel look for a name or a group.
  if (ifindex <= 0) return false;
  absl::Status status = netlink.Request(RTM_DELLINK, 0, LinkHeader(ifindex), attempt);
  if (status.ok()) return true;
  if (absl::IsNotFound(status)) return false;
  return status;
}

absl::StatusOr<int> CreateLink(Netlink& netlink, const std::string& kind, const std::string& name) {
  WireWriter info = WireWriter().Text(IFLA_INFO_KIND, kind);
  return Create(netlink, name, LinkHeader(0).Text(IFLA_IFNAME, name).Nested(IFLA_LINKINFO, info),
                absl::StrCat("create ", kind, " device ", name, " in ", netlink.Describe()));
}

absl::StatusOr<int> CreateVethPair(Netlink& netlink, const std::string& name, const Netns& peer_netns,
                                   const std::string& peer_name) {
  std::string attempt = absl::StrCat("create veth pair ", name, " in ", netlink.Describe(), " and ",
                                     peer_name, " in ", peer_netns.Describe());
  SABOT_RETURN_IF_ERROR(CheckName(peer_name, attempt));
  WireWriter peer = LinkHeader(0).Text(IFLA_IFNAME, peer_name);
  peer.Value(IFLA_NET_NS_FD, static_cast<uint32_t>(peer_netns.fd()));
  WireWriter info = WireWriter().Text(IFLA_INFO_KIND, "veth");
  info.Nested(IFLA_INFO_DATA, WireWriter().Nested(VETH_INFO_PEER, peer));
  return Create(netlink, name, LinkHeader(0).Text(IFLA_IFNAME, name).Nested(IFLA_LINKINFO, info), attempt);
}

absl::StatusOr<OwnedLink> OwnedLink::Create(std::shared_ptr<Netlink> netlink, const std::string& kind,
                                            const std::string& name) {
  SABOT_ASSIGN_OR_RETURN(int ifindex, CreateLink(*netlink, kind, name));
  return OwnedLink(std::move(netlink), ifindex);
}

OwnedLink& OwnedLink::operator=(OwnedLink&& other) noexcept {
  if (this == &other) return *this;
  Remove().IgnoreError();
  netlink_ = std::move(other.netlink_);
  ifindex_ = other.ifindex_;
  return *this;
}

OwnedLink::~OwnedLink() { Remove().IgnoreError(); }

absl::Status OwnedLink::Remove() {
  if (!netlink_) return absl::OkStatus();
  SABOT_RETURN_IF_ERROR(RemoveLink(*netlink_, ifindex_).status());
  netlink_.reset();
  return absl::OkStatus();
}

}  // namespace sabot::loader
