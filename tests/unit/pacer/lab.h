// SPDX-License-Identifier: Apache-2.0
//
// Two network namespaces with a veth pair between them, and a pacer that holds what the sender's side sends.
#ifndef SABOT_TESTS_UNIT_PACER_LAB_H_
#define SABOT_TESTS_UNIT_PACER_LAB_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "agent/helper_process.h"
#include "agent/pacer/client.h"
#include "agent/pacer/tap.h"
#include "handover.skel.h"
#include "loader/fd.h"

namespace sabot::pacer {

// Throws std::runtime_error with errno unless `ok`.
void Need(bool ok, const std::string& attempt);

// How much later than on a real machine things may happen: the environment's SABOT_TIME_SCALE, or 1.
double TimeScale();

// A new network namespace with its loopback up.
class Namespace {
 public:
  Namespace();
  int fd() const { return fd_.get(); }
  // Runs `work` on a thread of its own inside; rethrows what it throws.
  void Run(const std::function<void()>& work) const;
  // Runs a shell command inside. False if it fails.
  bool Shell(const std::string& command) const;

 private:
  loader::UniqueFd fd_;
};

// 10.0.0.1 and fd00::1 send, 10.0.0.2 and fd00::2 receive; the device is eth0 on both sides.
class Lab {
 public:
  explicit Lab(uint64_t max_bytes = 256ull << 20);
  ~Lab();

  // Frames wait from now on; zero: they do not (the pacer stays). `other` is added for every second frame.
  void Delay(absl::Duration delay, absl::Duration other = absl::ZeroDuration());
  // Whether a pacer can be told from none on the sender's side: devices besides lo and eth0, programs on
  // eth0.
  bool TapExists() const;
  // What the agent's end does: programs of eth0 gone, control socket closed.
  void AgentDies();
  // Whether the sender's device takes frames whose checksum is still to be filled in, and trains of segments.
  // If not, the kernel does both in software just before the device, as hardware would, and the receiver
  // checks the result.
  void Offloads(bool on) const;

  uint64_t heartbeat() const;
  Stats stats() { return *QueryStats(pacer->control_fd(), absl::Seconds(1)); }

  Namespace sender, receiver;
  std::optional<Tap> tap;
  handover_bpf* programs = nullptr;
  std::optional<HelperProcess> pacer;

 private:
  void Connect();
  void StartPacing(uint64_t max_bytes);

  loader::UniqueFd egress_link_;
};

// Why Lab cannot be made here; empty: it can.
std::string WhyNoLab();

}  // namespace sabot::pacer

#endif  // SABOT_TESTS_UNIT_PACER_LAB_H_
