// SPDX-License-Identifier: Apache-2.0
//
// Network devices of one namespace. Errors: see netlink.h.
#ifndef SABOT_LOADER_NETLINK_LINK_H_
#define SABOT_LOADER_NETLINK_LINK_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "loader/netlink.h"
#include "loader/netns.h"

namespace sabot::loader {

struct Link {
  int ifindex = 0;
  std::string name;
  // "veth", "tun", "ifb", "bridge"...; "loopback" for lo; "" for hardware.
  std::string kind;
  uint16_t arphrd = 0;   // ARPHRD_ETHER, ARPHRD_NONE...
  bool up = false;       // IFF_UP: what was asked for
  bool carrier = false;  // IFF_LOWER_UP: what is
  uint32_t mtu = 0;
  std::array<uint8_t, 6> mac{};  // zeros if the device has none of six bytes
  int master = 0;                // ifindex of the bridge or bond, 0 for none
  int peer = 0;  // IFLA_LINK: for veth the peer's ifindex, in the peer's namespace; 0 for none
};

// Devices in order of ifindex.
absl::StatusOr<std::vector<Link>> ListLinks(Netlink& netlink);
// kNotFound if there is none.
absl::StatusOr<Link> FindLink(Netlink& netlink, std::string_view name);
absl::StatusOr<Link> FindLink(Netlink& netlink, int ifindex);
// "eth0 in netns 4026532589", or "interface 7 in netns ..." if it has gone; for messages.
std::string DescribeDevice(Netlink& netlink, int ifindex);

absl::Status SetLinkUp(Netlink& netlink, int ifindex, bool up);
absl::Status SetLinkMtu(Netlink& netlink, int ifindex, uint32_t mtu);
// Moves the device into `to`. It loses its addresses, and is down there.
absl::Status MoveLink(Netlink& netlink, int ifindex, const Netns& to);
// Deletes the device; false if it was not there.
absl::StatusOr<bool> RemoveLink(Netlink& netlink, int ifindex);

// Makes a device that needs no parameters ("dummy", "ifb", "bridge") and returns its ifindex. kAlreadyExists
// if the name is taken, kUnimplemented if the kernel lacks the kind. It stays until removed or until its
// namespace ends.
absl::StatusOr<int> CreateLink(Netlink& netlink, const std::string& kind, const std::string& name);
// Makes a pair: `name` here, and `peer_name` in `peer_netns`. Returns the ifindex of the one here.
absl::StatusOr<int> CreateVethPair(Netlink& netlink, const std::string& name, const Netns& peer_netns,
                                   const std::string& peer_name);

// A device that is removed with its owner. Move-only; shares its socket, so the rules of Netlink about
// threads hold.
class OwnedLink {
 public:
  static absl::StatusOr<OwnedLink> Create(std::shared_ptr<Netlink> netlink, const std::string& kind,
                                          const std::string& name);
  OwnedLink(OwnedLink&& other) noexcept = default;
  OwnedLink& operator=(OwnedLink&& other) noexcept;
  ~OwnedLink();

  int ifindex() const { return ifindex_; }
  // Removes the device now. OK if it has gone already; after an error the object still owns it.
  absl::Status Remove();

 private:
  OwnedLink(std::shared_ptr<Netlink> netlink, int ifindex)
      : netlink_(std::move(netlink)), ifindex_(ifindex) {}

  std::shared_ptr<Netlink> netlink_;  // null once removed or moved from
  int ifindex_ = 0;
};

// Pure: one RTM_NEWLINK message as the kernel sends it, header included. nullopt for any other message and
// for one that is cut short.
std::optional<Link> ParseLink(std::span<const std::byte> message);

}  // namespace sabot::loader

#endif  // SABOT_LOADER_NETLINK_LINK_H_
