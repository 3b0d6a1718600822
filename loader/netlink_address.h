// SPDX-License-Identifier: Apache-2.0
//
// IP addresses and routes of one namespace, IPv4 and IPv6. Errors: see netlink.h.
#ifndef SABOT_LOADER_NETLINK_ADDRESS_H_
#define SABOT_LOADER_NETLINK_ADDRESS_H_

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "loader/netlink.h"

namespace sabot::loader {

// An address with the length of its network prefix: "10.0.0.2/24", "fd00::2/64".
struct IpPrefix {
  int family = 0;                   // AF_INET or AF_INET6
  std::array<uint8_t, 16> bytes{};  // network byte order; IPv4 in the first four, the rest zero
  int length = 0;                   // bits

  // Without "/N" the length is that of one host. kInvalidArgument for anything else than the two forms above.
  static absl::StatusOr<IpPrefix> Parse(std::string_view text);
  // The address bytes alone: 4 or 16 of them.
  std::span<const uint8_t> address() const {
    return {bytes.data(), family == AF_INET ? size_t{4} : size_t{16}};
  }
  std::string ToString() const;
  friend bool operator==(const IpPrefix&, const IpPrefix&) = default;
};

struct Address {
  int ifindex = 0;
  IpPrefix prefix;    // the device's own address, not the peer's on point-to-point devices
  uint8_t scope = 0;  // RT_SCOPE_UNIVERSE, RT_SCOPE_LINK, RT_SCOPE_HOST
};

// All addresses of the namespace.
absl::StatusOr<std::vector<Address>> ListAddresses(Netlink& netlink);
// IPv6 addresses are usable at once (no duplicate address detection). kAlreadyExists if the device has it.
absl::Status AddAddress(Netlink& netlink, int ifindex, const IpPrefix& prefix);

struct Route {
  int family = 0;                       // AF_INET or AF_INET6
  std::optional<IpPrefix> destination;  // nullopt: the default route
  std::optional<IpPrefix> gateway;      // its length is ignored
  int ifindex = 0;
};
absl::Status AddRoute(Netlink& netlink, const Route& route);

// Pure: one RTM_NEWADDR message, header included; nullopt for any other and for one that is cut short.
std::optional<Address> ParseAddress(std::span<const std::byte> message);

}  // namespace sabot::loader

#endif  // SABOT_LOADER_NETLINK_ADDRESS_H_
