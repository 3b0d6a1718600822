// SPDX-License-Identifier: Apache-2.0
#include "agent/pacer/tap.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/link/inet6.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "loader/status.h"

// Kernel 6.2; missing from older headers.
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

namespace sabot::pacer {
namespace {

using loader::UniqueFd;

// How many frames the device holds until the pacer reads them: enough for a burst while it is off the
// processor.
constexpr int kQueueFrames = 10000;
// The most that the kernel takes for a tap: 65535 less an Ethernet header.
constexpr int kMtu = 65521;

absl::Status Change(int fd, unsigned long request, ifreq& parameter, const char* what) {
  if (ioctl(fd, request, &parameter) == 0) return absl::OkStatus();
  return ErrnoStatus(errno, absl::StrCat(what, " of tap device ", parameter.ifr_name));
}

absl::StatusOr<bool> TakeOffloads(int fd, const std::string& name) {
  unsigned long offloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
  if (ioctl(fd, TUNSETOFFLOAD, offloads | TUN_F_USO4 | TUN_F_USO6) == 0) return true;
  if (ioctl(fd, TUNSETOFFLOAD, offloads) == 0) return false;
  return ErrnoStatus(errno, absl::StrCat("turn on the offloads of tap device ", name));
}

// No link-local address, so no duplicate address detection and no router solicitations. Without IPv6 there is
// nothing to do; a frame that comes out of the device on its own is dropped by the pacer in any case: so no
// errors here.
void SilenceIpv6(int ifindex, const std::string& name) {
  std::unique_ptr<nl_sock, void (*)(nl_sock*)> socket(nl_socket_alloc(), nl_socket_free);
  std::unique_ptr<rtnl_link, void (*)(rtnl_link*)> link(rtnl_link_alloc(), rtnl_link_put);
  if (socket && link && nl_connect(socket.get(), NETLINK_ROUTE) == 0) {
    rtnl_link_set_ifindex(link.get(), ifindex);
    rtnl_link_inet6_set_addr_gen_mode(link.get(), IN6_ADDR_GEN_MODE_NONE);
    rtnl_link_change(socket.get(), link.get(), link.get(), 0);
  }
  // The files below /proc/sys/net are those of the reading thread's namespace.
  std::string path = absl::StrCat("/proc/sys/net/ipv6/conf/", name, "/disable_ipv6");
  UniqueFd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file.valid()) (void)!write(file.get(), "1", 1);
}

absl::StatusOr<int> BringUp(const std::string& name) {
  UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return ErrnoStatus(errno, absl::StrCat("open a socket to set up tap device ", name));
  ifreq parameter = {};
  name.copy(parameter.ifr_name, IFNAMSIZ - 1);
  SABOT_RETURN_IF_ERROR(Change(socket.get(), SIOCGIFINDEX, parameter, "read the index"));
  int ifindex = parameter.ifr_ifindex;
  SilenceIpv6(ifindex, name);
  parameter.ifr_qlen = kQueueFrames;
  SABOT_RETURN_IF_ERROR(Change(socket.get(), SIOCSIFTXQLEN, parameter, "set the queue length"));
  parameter.ifr_mtu = kMtu;
  SABOT_RETURN_IF_ERROR(Change(socket.get(), SIOCSIFMTU, parameter, "set the MTU"));
  parameter.ifr_flags = IFF_UP | IFF_NOARP;
  SABOT_RETURN_IF_ERROR(Change(socket.get(), SIOCSIFFLAGS, parameter, "turn on"));
  return ifindex;
}

}  // namespace

absl::StatusOr<Tap> Tap::Create(const std::string& name_pattern) {
  if (name_pattern.size() >= IFNAMSIZ)
    return absl::InvalidArgumentError(absl::StrCat("name of a tap device: too long: ", name_pattern));
  UniqueFd fd(open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd.valid()) return ErrnoStatus(errno, "open /dev/net/tun");
  ifreq parameter = {};
  name_pattern.copy(parameter.ifr_name, IFNAMSIZ - 1);
  parameter.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  SABOT_RETURN_IF_ERROR(Change(fd.get(), TUNSETIFF, parameter, "create the device"));
  std::string name = parameter.ifr_name;
  SABOT_ASSIGN_OR_RETURN(bool udp_segmentation, TakeOffloads(fd.get(), name));
  SABOT_ASSIGN_OR_RETURN(int ifindex, BringUp(name));
  return Tap(std::move(fd), ifindex, std::move(name), udp_segmentation);
}

}  // namespace sabot::pacer
