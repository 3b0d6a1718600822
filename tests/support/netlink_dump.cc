// SPDX-License-Identifier: Apache-2.0
#include "tests/support/netlink_dump.h"

#include <arpa/inet.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <cstring>
#include <functional>
#include <set>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "loader/fd.h"
#include "tests/support/require.h"

namespace sabot::test {
namespace {

using loader::UniqueFd;

// A dump's request: the family's header behind the netlink one.
template <typename Header>
struct Request {
  nlmsghdr netlink;
  Header header;
};

std::string Bytes(const void* data, size_t length) {
  return absl::BytesToHexString(std::string(static_cast<const char*>(data), length));
}

std::string DeviceName(int index) {
  char name[IF_NAMESIZE] = {};
  return index > 0 && ::if_indextoname(static_cast<unsigned>(index), name) != nullptr
             ? name
             : absl::StrCat("#", index);
}

// Reads the answers of one dump. False when the kernel refused it (an object that is not there has nothing in
// it).
bool ReadAnswers(int fd, const std::function<void(const nlmsghdr&)>& each) {
  static thread_local std::vector<char> buffer(1 << 18);
  while (true) {
    ssize_t n = ::recv(fd, buffer.data(), buffer.size(), 0);
    Require(n > 0, "read from rtnetlink");
    auto left = static_cast<unsigned>(n);
    for (auto* message = reinterpret_cast<nlmsghdr*>(buffer.data()); NLMSG_OK(message, left);
         message = NLMSG_NEXT(message, left)) {
      if (message->nlmsg_type == NLMSG_DONE) return true;
      if (message->nlmsg_type == NLMSG_ERROR) return false;
      each(*message);
    }
  }
}

template <typename Header>
bool Dump(uint16_t type, const Header& header, const std::function<void(const nlmsghdr&)>& each) {
  UniqueFd fd(RequireSyscall(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), "open rtnetlink"));
  Request<Header> request{};
  request.netlink.nlmsg_len = NLMSG_LENGTH(sizeof(Header));
  request.netlink.nlmsg_type = type;
  request.netlink.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.header = header;
  RequireSyscall(static_cast<int>(::send(fd.get(), &request, request.netlink.nlmsg_len, 0)), "ask rtnetlink");
  return ReadAnswers(fd.get(), each);
}

// Calls `each` with type, payload and length of the attributes behind a header.
template <typename Header>
void EachAttribute(const nlmsghdr& message, const std::function<void(int, const void*, size_t)>& each) {
  auto* attribute = reinterpret_cast<const rtattr*>(reinterpret_cast<const char*>(&message) +
                                                    NLMSG_LENGTH(NLMSG_ALIGN(sizeof(Header))));
  auto left = static_cast<int>(message.nlmsg_len - NLMSG_LENGTH(NLMSG_ALIGN(sizeof(Header))));
  for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
    each(attribute->rta_type & NLA_TYPE_MASK, RTA_DATA(attribute), RTA_PAYLOAD(attribute));
  }
}

template <typename Header>
const Header& HeaderOf(const nlmsghdr& message) {
  return *static_cast<const Header*>(NLMSG_DATA(const_cast<nlmsghdr*>(&message)));
}

// " 3=0a4d0102 ..." of every attribute that is not in `changing`.
template <typename Header>
std::string Attributes(const nlmsghdr& message, const std::set<int>& changing) {
  std::string text = absl::StrCat(" | ", Bytes(&HeaderOf<Header>(message), sizeof(Header)));
  EachAttribute<Header>(message, [&](int type, const void* data, size_t length) {
    if (!changing.contains(type)) absl::StrAppend(&text, " ", type, "=", Bytes(data, length));
  });
  return text;
}

// The text of an attribute: a name, or an address by `family`.
template <typename Header>
std::string Text(const nlmsghdr& message, int wanted, int family = AF_UNSPEC) {
  std::string text;
  EachAttribute<Header>(message, [&](int type, const void* data, size_t length) {
    if (type != wanted) return;
    char address[INET6_ADDRSTRLEN] = {};
    if (family == AF_UNSPEC) {
      text.assign(static_cast<const char*>(data), ::strnlen(static_cast<const char*>(data), length));
    } else if (::inet_ntop(family, data, address, sizeof(address)) != nullptr) {
      text = address;
    }
  });
  return text;
}

std::string LinkLine(const nlmsghdr& message) {
  // What the kernel's link watch brings up to date in its own time; whether a device is up is in the header's
  // flags.
  const std::set<int> changing = {
      IFLA_STATS,           IFLA_STATS64,          IFLA_AF_SPEC,           IFLA_OPERSTATE,
      IFLA_CARRIER_CHANGES, IFLA_CARRIER_UP_COUNT, IFLA_CARRIER_DOWN_COUNT};
  return absl::StrCat("link ", Text<ifinfomsg>(message, IFLA_IFNAME), " qdisc ",
                      Text<ifinfomsg>(message, IFLA_QDISC), Attributes<ifinfomsg>(message, changing));
}

std::string AddressLine(const nlmsghdr& message) {
  const auto& header = HeaderOf<ifaddrmsg>(message);
  return absl::StrCat("address ", Text<ifaddrmsg>(message, IFA_ADDRESS, header.ifa_family), "/",
                      int{header.ifa_prefixlen}, " of ", DeviceName(static_cast<int>(header.ifa_index)),
                      Attributes<ifaddrmsg>(message, {IFA_CACHEINFO}));
}

std::string RouteLine(const nlmsghdr& message) {
  const auto& header = HeaderOf<rtmsg>(message);
  return absl::StrCat("route ", Text<rtmsg>(message, RTA_DST, header.rtm_family), "/",
                      int{header.rtm_dst_len}, " type ", int{header.rtm_type},
                      Attributes<rtmsg>(message, {RTA_CACHEINFO}));
}

std::string RuleLine(const nlmsghdr& message) {
  const auto& header = HeaderOf<fib_rule_hdr>(message);
  return absl::StrCat("rule of family ", int{header.family}, " table ", int{header.table},
                      Attributes<fib_rule_hdr>(message, {}));
}

std::string TrafficControlLine(const char* what, const nlmsghdr& message) {
  const auto& header = HeaderOf<tcmsg>(message);
  return absl::StrCat(what, " ", Text<tcmsg>(message, TCA_KIND), " of ", DeviceName(header.tcm_ifindex),
                      " parent ", absl::Hex(header.tcm_parent), " handle ", absl::Hex(header.tcm_handle),
                      Attributes<tcmsg>(message, {TCA_STATS, TCA_XSTATS, TCA_STATS2}));
}

void EachFilter(const std::function<void(const nlmsghdr&)>& each) {
  struct if_nameindex* all = ::if_nameindex();
  for (struct if_nameindex* one = all; one != nullptr && one->if_index != 0; ++one) {
    for (uint32_t parent :
         {TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS), TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS), 0U}) {
      tcmsg header{};
      header.tcm_ifindex = static_cast<int>(one->if_index);
      header.tcm_parent = parent;
      Dump(RTM_GETTFILTER, header, each);
    }
  }
  ::if_freenameindex(all);
}

}  // namespace

std::vector<std::string> DumpNamespace() {
  std::vector<std::string> lines;
  auto add = [&](auto line) {
    return [&lines, line](const nlmsghdr& message) { lines.push_back(line(message)); };
  };
  Require(Dump(RTM_GETLINK, ifinfomsg{}, add(LinkLine)), "list links");
  Require(Dump(RTM_GETADDR, ifaddrmsg{}, add(AddressLine)), "list addresses");
  for (int family : {AF_INET, AF_INET6}) {
    rtmsg route{};
    route.rtm_family = static_cast<unsigned char>(family);
    Require(Dump(RTM_GETROUTE, route, add(RouteLine)), "list routes");
    fib_rule_hdr rule{};
    rule.family = static_cast<__u8>(family);
    Dump(RTM_GETRULE, rule, add(RuleLine));  // a kernel may be without policy routing
  }
  Dump(RTM_GETQDISC, tcmsg{},
       add([](const nlmsghdr& message) { return TrafficControlLine("qdisc", message); }));
  EachFilter([&](const nlmsghdr& message) { lines.push_back(TrafficControlLine("filter", message)); });
  return lines;
}

std::vector<uint32_t> FilterPrograms() {
  std::vector<uint32_t> ids;
  EachFilter([&](const nlmsghdr& message) {
    if (Text<tcmsg>(message, TCA_KIND) != "bpf") return;
    EachAttribute<tcmsg>(message, [&](int type, const void* data, size_t length) {
      if (type != TCA_OPTIONS) return;
      const auto* option = static_cast<const rtattr*>(data);
      for (auto left = static_cast<int>(length); RTA_OK(option, left); option = RTA_NEXT(option, left)) {
        if (option->rta_type == TCA_BPF_ID)
          std::memcpy(&ids.emplace_back(), RTA_DATA(option), sizeof(uint32_t));
      }
    });
  });
  return ids;
}

std::vector<std::string> DumpQdiscs(const std::string& device) {
  std::vector<std::string> lines;
  int index = static_cast<int>(::if_nametoindex(device.c_str()));
  Dump(RTM_GETQDISC, tcmsg{}, [&](const nlmsghdr& message) {
    if (HeaderOf<tcmsg>(message).tcm_ifindex == index) lines.push_back(TrafficControlLine("qdisc", message));
  });
  return lines;
}

}  // namespace sabot::test
