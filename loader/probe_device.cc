// SPDX-License-Identifier: Apache-2.0
//
// Probes of kinds of network devices, made in a throw-away namespace.
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "loader/netlink_link.h"
#include "loader/probe_context.h"
#include "loader/probe_finding.h"
#include "loader/probe_list.h"

namespace sabot::loader {
namespace {

constexpr char kTunDevice[] = "/dev/net/tun";
// What the module of ifb makes by itself when it is loaded, always in the machine's own namespace.
constexpr const char* kIfbDefaults[] = {"ifb0", "ifb1"};

bool IfbModuleIsThere() { return ::access("/sys/module/ifb", F_OK) == 0; }

// Removes what loading the module left in the machine's namespace. Only called if the module was not there
// before, so that nobody's ifb0 is older than our attempt; one that is in use already is somebody's.
void RemoveIfbDefaults() {
  absl::StatusOr<Netns> machine = Netns::OpenInit();
  if (!machine.ok()) return;
  absl::StatusOr<Netlink> netlink = Netlink::Open(*machine);
  if (!netlink.ok()) return;
  for (const char* name : kIfbDefaults) {
    absl::StatusOr<Link> link = FindLink(*netlink, name);
    if (!link.ok() || link->kind != "ifb" || link->up) continue;
    RemoveLink(*netlink, link->ifindex).IgnoreError();
  }
}

// Makes a tap device with `flags` in the calling thread's namespace, which goes with the descriptor, or says
// in `finding` why not.
UniqueFd OpenTap(short flags, Finding& finding) {
  UniqueFd tap(::open(kTunDevice, O_RDWR | O_CLOEXEC));
  if (!tap.valid()) {
    finding = DeviceFailed(kTunDevice, "tun", errno, kNetAdmin);
    return {};
  }
  ifreq request{};
  std::strcpy(request.ifr_name, "probe%d");
  request.ifr_flags = static_cast<short>(IFF_TAP | IFF_NO_PI | flags);
  if (::ioctl(tap.get(), TUNSETIFF, &request) < 0) {
    finding = Failed("create a tap device", errno, {EINVAL}, kNetAdmin);
    return {};
  }
  return tap;
}

}  // namespace

Finding ProbeVeth(ProbeContext&) {
  absl::StatusOr<ThrowAwayNetns> place = ThrowAwayNetns::Create();
  if (!place.ok()) return Failed(place.status(), kSysAdmin);
  absl::StatusOr<int> made = CreateVethPair(place->netlink, "probe0", place->netns, "probe1");
  if (!made.ok()) return Failed(made.status(), kNetAdmin);
  return Yes("a veth pair was made");
}

Finding ProbeIfb(ProbeContext&) {
  absl::StatusOr<ThrowAwayNetns> place = ThrowAwayNetns::Create();
  if (!place.ok()) return Failed(place.status(), kSysAdmin);
  bool was_there = IfbModuleIsThere();
  absl::StatusOr<int> made = CreateLink(place->netlink, "ifb", "probe0");
  if (!was_there && IfbModuleIsThere()) RemoveIfbDefaults();
  if (!made.ok()) return Failed(made.status(), kNetAdmin);
  return Yes("an ifb device was made");
}

namespace {

Finding ProbeTap(short flags, unsigned long offloads, const char* yes) {
  absl::StatusOr<ThrowAwayNetns> place = ThrowAwayNetns::Create();
  if (!place.ok()) return Failed(place.status(), kSysAdmin);
  absl::StatusOr<ScopedNetns> inside = ScopedNetns::Enter(place->netns);
  if (!inside.ok()) return Failed(inside.status(), kSysAdmin);
  Finding finding;
  UniqueFd tap = OpenTap(flags, finding);
  if (!tap.valid()) return finding;
  if (offloads != 0 && ::ioctl(tap.get(), TUNSETOFFLOAD, offloads) < 0) {
    return Failed("turn on checksum and segmentation offload of a tap device", errno, {EINVAL}, kNetAdmin);
  }
  return Yes(yes);
}

}  // namespace

Finding ProbeTun(ProbeContext&) { return ProbeTap(0, 0, "a tap device was made"); }

Finding ProbeTunVnetHdr(ProbeContext&) {
  return ProbeTap(IFF_VNET_HDR, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN,
                  "a tap device with checksum and segmentation offload was made");
}

}  // namespace sabot::loader
