// SPDX-License-Identifier: Apache-2.0
#include "loader/netlink_address.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>

#include "absl/strings/numbers.h"
#include "loader/netlink_link.h"
#include "loader/netlink_wire.h"
#include "loader/status.h"

namespace sabot::loader {
namespace {

int BitsOf(int family) { return family == AF_INET ? 32 : 128; }

ByteSpan AddressBytes(const IpPrefix& prefix) { return std::as_bytes(prefix.address()); }

absl::Status CheckFamily(int family, const std::string& attempt) {
  if (family == AF_INET || family == AF_INET6) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(attempt, ": neither IPv4 nor IPv6"));
}

std::string DescribeRoute(const Route& route) {
  std::string text = route.destination ? route.destination->ToString() : "default";
  if (route.gateway) absl::StrAppend(&text, " via ", route.gateway->ToString());
  return text;
}

}  // namespace

absl::StatusOr<IpPrefix> IpPrefix::Parse(std::string_view text) {
  auto invalid = [&] {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", std::string(text), "\" is not an IP address or prefix"));
  };
  size_t slash = text.find('/');
  std::string host(text.substr(0, slash));
  IpPrefix prefix;
  prefix.family = host.find(':') == host.npos ? AF_INET : AF_INET6;
  // A zero inside would hide the rest from inet_pton.
  if (host.find('\0') != host.npos || ::inet_pton(prefix.family, host.c_str(), prefix.bytes.data()) != 1)
    return invalid();
  prefix.length = BitsOf(prefix.family);
  if (slash == text.npos) return prefix;
  std::string_view length = text.substr(slash + 1);
  bool digits =
      !length.empty() && length.size() <= 3 && length.find_first_not_of("0123456789") == length.npos;
  if (!digits || !absl::SimpleAtoi(std::string(length), &prefix.length) ||
      prefix.length > BitsOf(prefix.family))
    return invalid();
  return prefix;
}

std::string IpPrefix::ToString() const {
  char text[INET6_ADDRSTRLEN] = "?";
  ::inet_ntop(family, bytes.data(), text, sizeof(text));
  return absl::StrCat(text, "/", length);
}

std::optional<Address> ParseAddress(std::span<const std::byte> message) {
  auto wire = ReadMessage<ifaddrmsg>(message, RTM_NEWADDR);
  if (!wire) return std::nullopt;
  const ifaddrmsg& header = wire->header;
  if (header.ifa_family != AF_INET && header.ifa_family != AF_INET6) return std::nullopt;
  // On point-to-point devices IFA_ADDRESS is the peer; IPv6 has IFA_LOCAL only there.
  std::optional<ByteSpan> bytes = wire->attributes.Find(IFA_LOCAL);
  if (!bytes) bytes = wire->attributes.Find(IFA_ADDRESS);
  Address address;
  address.ifindex = static_cast<int>(header.ifa_index);
  address.scope = header.ifa_scope;
  address.prefix.family = header.ifa_family;
  address.prefix.length = header.ifa_prefixlen;
  if (!bytes || bytes->size() != address.prefix.address().size()) return std::nullopt;
  if (address.prefix.length > BitsOf(header.ifa_family)) return std::nullopt;
  std::memcpy(address.prefix.bytes.data(), bytes->data(), bytes->size());
  return address;
}

absl::StatusOr<std::vector<Address>> ListAddresses(Netlink& netlink) {
  SABOT_ASSIGN_OR_RETURN(auto messages, netlink.Dump(RTM_GETADDR, WireWriter().Struct(ifaddrmsg{}),
                                                     absl::StrCat("list addresses in ", netlink.Describe())));
  std::vector<Address> addresses;
  for (const auto& message : messages) {
    if (std::optional<Address> address = ParseAddress(message)) addresses.push_back(*address);
  }
  return addresses;
}

absl::Status AddAddress(Netlink& netlink, int ifindex, const IpPrefix& prefix) {
  std::string attempt =
      absl::StrCat("add address ", prefix.ToString(), " to ", DescribeDevice(netlink, ifindex));
  SABOT_RETURN_IF_ERROR(CheckFamily(prefix.family, attempt));
  ifaddrmsg header{};
  header.ifa_family = static_cast<uint8_t>(prefix.family);
  header.ifa_prefixlen = static_cast<uint8_t>(prefix.length);
  header.ifa_flags = IFA_F_NODAD;
  header.ifa_index = static_cast<uint32_t>(ifindex);
  WireWriter body = WireWriter().Struct(header).Attribute(IFA_LOCAL, AddressBytes(prefix));
  body.Attribute(IFA_ADDRESS, AddressBytes(prefix));
  return netlink.Request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, body, attempt);
}

absl::Status AddRoute(Netlink& netlink, const Route& route) {
  std::string attempt =
      absl::StrCat("add route ", DescribeRoute(route), " through ", DescribeDevice(netlink, route.ifindex));
  SABOT_RETURN_IF_ERROR(CheckFamily(route.family, attempt));
  rtmsg header{};
  header.rtm_family = static_cast<uint8_t>(route.family);
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = RTPROT_STATIC;
  header.rtm_scope = route.gateway || route.family == AF_INET6 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
  header.rtm_type = RTN_UNICAST;
  header.rtm_dst_len = static_cast<uint8_t>(route.destination ? route.destination->length : 0);
  WireWriter body = WireWriter().Struct(header).Value(RTA_OIF, static_cast<uint32_t>(route.ifindex));
  if (route.destination) body.Attribute(RTA_DST, AddressBytes(*route.destination));
  if (route.gateway) body.Attribute(RTA_GATEWAY, AddressBytes(*route.gateway));
  return netlink.Request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, body, attempt);
}

}  // namespace sabot::loader
