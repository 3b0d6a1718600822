// SPDX-License-Identifier: Apache-2.0
//
// The agent's side of one pacer: how it is started and asked.
#ifndef SABOT_AGENT_PACER_CLIENT_H_
#define SABOT_AGENT_PACER_CLIENT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/helper_process.h"
#include "agent/pacer/control.h"

namespace sabot::pacer {

struct PacerOptions {
  // `sabot-helper`; empty: where HelperProcess finds it.
  std::string program;
  // The tap (Tap::fd()). Borrowed.
  int tap_fd = -1;
  // An array map of u64 with BPF_F_MMAPABLE, and the entry that holds this pacer's heartbeat. Borrowed.
  int heartbeat_fd = -1;
  uint32_t heartbeat_index = 0;
  // Memory that held frames may take; frames beyond it are dropped and counted.
  uint64_t max_bytes = 256ull << 20;
  // No frame is held longer (at most 24 h), whatever its header says; so this bounds how long the pacer
  // outlives its agent.
  absl::Duration max_hold = absl::Seconds(60);
  // Descriptors that stay open as long as the pacer lives, for what must outlive the agent until the last
  // frame is released: the link of the program at the tap's ingress. Borrowed.
  std::vector<int> kept_fds;
};

// Starts `sabot-helper pacer`. Its first heartbeat comes within milliseconds, or it exits and says why on
// standard error. HelperProcess::LetGo() makes it clear the heartbeat at once, release what it holds in time,
// and leave.
absl::StatusOr<HelperProcess> StartPacer(const PacerOptions& options);

// Asks the pacer at the other end of `control_fd` (HelperProcess::control_fd()). DeadlineExceeded if it does
// not answer (stopped, overloaded), Unavailable if it is gone.
absl::StatusOr<Stats> QueryStats(int control_fd, absl::Duration timeout);

}  // namespace sabot::pacer

#endif  // SABOT_AGENT_PACER_CLIENT_H_
