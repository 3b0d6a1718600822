// SPDX-License-Identifier: Apache-2.0
//
// The conformance table's rows: every effect of the network family on every rung of its ladder.
//
// Adding an effect or a rung is one entry here; every property then applies to it. Loss by cgroup_skb is not
// here: that rung is for targets in the machine's own network namespace only (host_network_test.cc).
#ifndef SABOT_TESTS_HOST_CELL_H_
#define SABOT_TESTS_HOST_CELL_H_

#include <string>
#include <vector>

#include "tests/support/udp_probe.h"

namespace sabot::test {

enum class EffectKind { kLoss, kDuplicate, kDelay, kPartition };

struct Effect {
  EffectKind kind;
  const char* name;         // in test names
  const char* action;       // in manifests, `sabot doctor` and "network/<action>"
  const char* moderate;     // the strength that is measured: percent of packets, latency
  const char* strong;       // the strength that one look at one datagram tells from none
  int64_t strong_delay_ns;  // the same as a number, of a delay
};

// What the target's end of the fault is given as.
enum class TargetBy { kNetns, kCgroup };

struct Cell {
  const Effect* effect;
  const char* mechanism;
  TargetBy target_by;

  // "Network/Loss", "tcx".
  std::string Suite() const { return std::string("Network/") + effect->name; }
  std::string Row() const { return std::string(effect->name) + "." + mechanism; }
  // Rungs at the socket refuse a packet with EPERM; those at the device lose it silently.
  bool SenderIsTold() const { return std::string(mechanism) == "cgroup_skb"; }
};

const std::vector<Cell>& Cells();

// Did the strong effect act on this datagram? One that is still under way is neither hit nor unhurt, and nor
// is one that took half of the strong delay.
bool IsHit(const Effect& effect, const Datagram& datagram);
bool IsUnhurt(const Effect& effect, const Datagram& datagram);

}  // namespace sabot::test

#endif  // SABOT_TESTS_HOST_CELL_H_
