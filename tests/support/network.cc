// SPDX-License-Identifier: Apache-2.0
#include "tests/support/network.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "tests/support/clock.h"
#include "tests/support/require.h"

namespace sabot::test {
namespace {

void WriteSysctl(const std::string& name, const std::string& value) {
  std::ofstream file("/proc/sys/" + name);
  file << value << std::flush;
  Require(file.good(), "set " + name);
}

// Sends single datagrams until one arrives.
void WaitUntilReached(const Host& from, const Host& to, const Address& address) {
  sockaddr_storage name = address.Socket(0);
  loader::UniqueFd receiver = to.Socket(name.ss_family, SOCK_DGRAM);
  loader::UniqueFd sender = from.Socket(name.ss_family, SOCK_DGRAM);
  int64_t deadline_ns = NowNs() + absl::ToInt64Nanoseconds(Scaled(absl::Seconds(5)));
  socklen_t length = sizeof(name);
  // An address that is not valid yet cannot be bound either.
  while (::bind(receiver.get(), reinterpret_cast<sockaddr*>(&name), Address::kSocketLength) != 0) {
    Require(NowNs() < deadline_ns, "bind to " + address.text);
    ::usleep(10'000);
  }
  RequireSyscall(::getsockname(receiver.get(), reinterpret_cast<sockaddr*>(&name), &length), "getsockname");
  pollfd arrived{receiver.get(), POLLIN, 0};
  do {
    Require(NowNs() < deadline_ns, from.role() + " does not reach " + address.text);
    ::sendto(sender.get(), "?", 1, MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&name), Address::kSocketLength);
  } while (::poll(&arrived, 1, 20) <= 0);
}

void IpBatch(const Resident& resident, const std::string& lines) {
  resident.Run({"ip", "-batch", "-"}, lines);
}

}  // namespace

void WaitUntilRunning(const Resident& resident, const std::string& device) {
  loader::UniqueFd fd = resident.Socket(AF_INET, SOCK_DGRAM);
  ifreq request{};
  device.copy(request.ifr_name, sizeof(request.ifr_name) - 1);
  int64_t deadline_ns = NowNs() + absl::ToInt64Nanoseconds(Scaled(absl::Seconds(5)));
  while (true) {
    RequireSyscall(::ioctl(fd.get(), SIOCGIFFLAGS, &request), "look at " + device + " in " + resident.role());
    if ((request.ifr_flags & IFF_RUNNING) != 0) return;
    Require(NowNs() < deadline_ns, device + " in " + resident.role() + " gets no carrier");
    ::usleep(5'000);
  }
}

const char* FamilyName(Family family) { return family == Family::kIpv4 ? "IPv4" : "IPv6"; }

sockaddr_storage Address::Socket(uint16_t port) const {
  sockaddr_storage storage{};
  if (family == Family::kIpv4) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    Require(::inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1, "read the address " + text);
  } else {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    Require(::inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1, "read the address " + text);
  }
  return storage;
}

std::string Address::Prefix() const { return text + (family == Family::kIpv4 ? "/32" : "/128"); }

Address Host::address(Family family) const {
  return {family, family == Family::kIpv4 ? absl::StrCat("10.77.", subnet_, ".2")
                                          : absl::StrCat("fd00:77:", subnet_, "::2")};
}

Address Host::eth1_address(Family family) const {
  Require(eth1_host_ > 0, role() + " has no eth1");
  return {family, family == Family::kIpv4 ? absl::StrCat("10.77.9.", eth1_host_)
                                          : absl::StrCat("fd00:77:9::", eth1_host_)};
}

TestNetwork::TestNetwork(Resident::Cgroup cgroups)
    : target("target", cgroups, 1, 1),
      peer("peer", cgroups, 2, 2),
      neighbour("neighbour", Resident::Cgroup::kInherited, 3, 0),
      router("router") {
  Connect(target);
  Connect(peer);
  Connect(neighbour);
  ConnectDirectly();
  router.Inside([] {
    WriteSysctl("net/ipv4/ip_forward", "1");
    WriteSysctl("net/ipv6/conf/all/forwarding", "1");
  });
  WaitUntilAllReachEachOther();
}

void TestNetwork::Connect(const Host& host) const {
  int n = host.subnet();
  std::string device = absl::StrCat("to-", host.role());
  IpBatch(router,
          absl::StrCat("link add ", device, " type veth peer name eth0 netns ", host.pid(), "\n", "link set ",
                       device, " addrgenmode none\n", "link set ", device, " up\n", "addr add 10.77.", n,
                       ".1/24 dev ", device, "\n", "addr add fd00:77:", n, "::1/64 dev ", device, " nodad\n",
                       // A router asks for neighbours from its link-local address only.
                       "addr add fe80::1/64 dev ", device, " nodad\n"));
  IpBatch(host, absl::StrCat("link set lo up\n", "link set eth0 addrgenmode none\n", "link set eth0 up\n",
                             "addr add 10.77.", n, ".2/24 dev eth0\n", "addr add fd00:77:", n,
                             "::2/64 dev eth0 nodad\n", "route add default via 10.77.", n, ".1\n",
                             "route add default via fd00:77:", n, "::1\n"));
}

void TestNetwork::ConnectDirectly() const {
  auto side = [](int n) {
    return absl::StrCat("link set eth1 addrgenmode none\n", "link set eth1 up\n", "addr add 10.77.9.", n,
                        "/24 dev eth1\n", "addr add fd00:77:9::", n, "/64 dev eth1 nodad\n");
  };
  IpBatch(target, absl::StrCat("link add eth1 type veth peer name eth1 netns ", peer.pid(), "\n", side(1)));
  IpBatch(peer, side(2));
}

void TestNetwork::WaitUntilAllReachEachOther() const {
  for (const Host* host : {&target, &peer, &neighbour}) {
    WaitUntilRunning(*host, "eth0");
    WaitUntilRunning(router, "to-" + host->role());
  }
  WaitUntilRunning(target, "eth1");
  WaitUntilRunning(peer, "eth1");
  for (Family family : kBothFamilies) {
    WaitUntilReached(target, peer, peer.address(family));
    WaitUntilReached(peer, target, target.address(family));
    WaitUntilReached(target, neighbour, neighbour.address(family));
    WaitUntilReached(neighbour, target, target.address(family));
    WaitUntilReached(neighbour, peer, peer.address(family));
    WaitUntilReached(target, peer, peer.eth1_address(family));
  }
}

}  // namespace sabot::test
