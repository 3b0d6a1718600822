// SPDX-License-Identifier: Apache-2.0
//
// The network that every network test runs in: three residents around a router, all in namespaces of their
// own.
//
//   target ──eth0── router ──eth0── peer          10.77.{1,2,3}.2   fd00:77:{1,2,3}::2
//     │               └─────eth0── neighbour
//     └────eth1───────────eth1──── peer           10.77.9.{1,2}     fd00:77:9::{1,2}
//
// Packets to the peer and to the neighbour leave the target through the same eth0, so an effect that spills
// over to others is seen. They are routed, not bridged: on the wire between target and router no ARP or
// neighbour discovery ever carries the peer's address, so "packets matched" can be compared with "packets
// sent" exactly.
#ifndef SABOT_TESTS_SUPPORT_NETWORK_H_
#define SABOT_TESTS_SUPPORT_NETWORK_H_

#include <netinet/in.h>

#include <string>
#include <vector>

#include "tests/support/resident.h"

namespace sabot::test {

enum class Family { kIpv4, kIpv6 };
inline constexpr Family kBothFamilies[] = {Family::kIpv4, Family::kIpv6};
const char* FamilyName(Family family);

struct Address {
  Family family;
  std::string text;

  // A socket address with this port, and its length.
  sockaddr_storage Socket(uint16_t port) const;
  static constexpr socklen_t kSocketLength = sizeof(sockaddr_in6);
  // "10.77.2.2/32", "fd00:77:2::2/128".
  std::string Prefix() const;
};

// Waits until the device has its carrier and the kernel has taken note of it everywhere (routes, addresses).
void WaitUntilRunning(const Resident& resident, const std::string& device);

// A resident with its addresses on eth0 and, if it has one, eth1.
class Host : public Resident {
 public:
  Host(const std::string& role, Cgroup cgroup, int subnet, int eth1_host)
      : Resident(role, cgroup), subnet_(subnet), eth1_host_(eth1_host) {}
  Address address(Family family) const;
  Address eth1_address(Family family) const;
  int subnet() const { return subnet_; }

 private:
  int subnet_, eth1_host_;
};

class TestNetwork {
 public:
  // `cgroups`: target and peer live in control groups of their own (the neighbour and the router never do).
  explicit TestNetwork(Resident::Cgroup cgroups = Resident::Cgroup::kInherited);

  Host target, peer, neighbour;
  Resident router;

  std::vector<const Resident*> All() const { return {&target, &peer, &neighbour, &router}; }

 private:
  void Connect(const Host& host) const;
  void ConnectDirectly() const;
  // Carrier and neighbour discovery take their time; a test that begins before would see losses of its own
  // making.
  void WaitUntilAllReachEachOther() const;
};

}  // namespace sabot::test

#endif  // SABOT_TESTS_SUPPORT_NETWORK_H_
