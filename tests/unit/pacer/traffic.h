// SPDX-License-Identifier: Apache-2.0
//
// Traffic from the lab's sender to its receiver, and what became of it.
#ifndef SABOT_TESTS_UNIT_PACER_TRAFFIC_H_
#define SABOT_TESTS_UNIT_PACER_TRAFFIC_H_

#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "tests/unit/pacer/lab.h"

namespace sabot::pacer {

enum class Family { kIpv4, kIpv6 };

// One-way delays of datagrams, ascending, in milliseconds: until the receiver's kernel had the datagram
// (wire), and until its program had it.
struct Delays {
  std::vector<double> wire_ms;
  std::vector<double> program_ms;
  int reordered = 0;
};
double Percentile(const std::vector<double>& ascending, double fraction);

struct Datagrams {
  Family family = Family::kIpv4;
  int count = 100;
  int payload_bytes = 64;  // at least 16; more than the MTU: fragments
  int per_send = 1;        // more: handed to the kernel as one, to be cut later (UDP_SEGMENT)
  absl::Duration gap = absl::Microseconds(500);
  absl::Duration patience = absl::Milliseconds(300);  // how long to wait for the next one
};
// Every datagram is checked byte by byte; a wrong one counts as lost.
Delays SendDatagrams(const Lab& lab, const Datagrams& plan);

// Sends IPv4 datagrams, and gives the VLAN identifier and the soundness of each frame that the receiver's
// device saw.
struct VlanFrame {
  int vlan;
  bool intact;
};
std::vector<VlanFrame> SendAndCapture(const Lab& lab, const Datagrams& plan);

struct Flows {
  Family family = Family::kIpv4;
  int count = 1;
  absl::Duration duration = absl::Seconds(1);
  uint64_t bytes = 0;  // not zero: instead of `duration`, send as many over each, and compare them on arrival
};
struct Throughput {
  double gigabits_per_second = 0;
  uint64_t bytes = 0;
  bool intact = true;
};
Throughput SendFlows(const Lab& lab, const Flows& plan);

}  // namespace sabot::pacer

#endif  // SABOT_TESTS_UNIT_PACER_TRAFFIC_H_
