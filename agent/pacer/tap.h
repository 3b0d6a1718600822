// SPDX-License-Identifier: Apache-2.0
//
// The tap device through which the kernel side hands frames to the pacer and takes them back: up, without
// addresses, ARP or IPv6, able to carry checksum and segmentation offloads so that frames of up to 64 KiB
// stay whole.
#ifndef SABOT_AGENT_PACER_TAP_H_
#define SABOT_AGENT_PACER_TAP_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "loader/fd.h"

namespace sabot::pacer {

// Move-only; not thread-safe. The device is not persistent: it goes with the last copy of the descriptor (and
// takes the programs attached to it along). The descriptor also keeps the network namespace alive, so a
// helper must be let go when its pod has ended.
class Tap {
 public:
  static constexpr char kNamePattern[] = "sabot%d";

  // Creates the device in the network namespace of the calling *thread*, which needs CAP_NET_ADMIN there and
  // /dev/net/tun. `name_pattern` may hold one %d, which the kernel replaces by the first free number.
  static absl::StatusOr<Tap> Create(const std::string& name_pattern = kNamePattern);

  // Non-blocking. Stays owned here.
  int fd() const { return fd_.get(); }
  // Closes this copy; the device lives on while the helper has one.
  void CloseFd() { fd_.Reset(); }
  int ifindex() const { return ifindex_; }
  const std::string& name() const { return name_; }
  // Whether UDP segmentation offload stays whole too (kernel 6.2); otherwise the kernel cuts such frames
  // first.
  bool udp_segmentation() const { return udp_segmentation_; }

 private:
  Tap(loader::UniqueFd fd, int ifindex, std::string name, bool udp_segmentation)
      : fd_(std::move(fd)), ifindex_(ifindex), name_(std::move(name)), udp_segmentation_(udp_segmentation) {}

  loader::UniqueFd fd_;
  int ifindex_;
  std::string name_;
  bool udp_segmentation_;
};

}  // namespace sabot::pacer

#endif  // SABOT_AGENT_PACER_TAP_H_
