// SPDX-License-Identifier: Apache-2.0
//
// The pacer's loop: frames in from the tap, each out again at its time; a heartbeat; questions of the agent;
// and the agent's end.
#ifndef SABOT_AGENT_PACER_PACER_H_
#define SABOT_AGENT_PACER_PACER_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/pacer/frame_store.h"
#include "agent/pacer/heartbeat.h"
#include "agent/pacer/urgency.h"
#include "loader/fd.h"

namespace sabot::pacer {

// Not thread-safe.
class Pacer {
 public:
  // Borrows both descriptors, which must be non-blocking and outlive the pacer.
  static absl::StatusOr<Pacer> Create(int tap_fd, int control_fd, FrameStore store, Heartbeat heartbeat,
                                      Urgency urgency);

  // Paces until the other end of the control socket is closed, then until nothing is held any more: OK. An
  // error if the tap dies.
  absl::Status Run();

 private:
  Pacer(int tap_fd, int control_fd, FrameStore store, Heartbeat heartbeat, Urgency urgency);

  bool ReleaseDue();
  bool ReadSome();
  void DoChores();
  void Answer(uint32_t serial);
  void ServeControl();
  void LoseAgent();
  bool MayLeave(bool worked) const;
  bool WorthSpinning() const;
  uint64_t NextWakeUp() const;
  absl::Status Sleep();
  void AccountWork();
  void ArmTimer(uint64_t at_ns);
  void LearnLateness();

  int tap_fd_;
  int control_fd_;
  FrameStore store_;
  Heartbeat heartbeat_;
  Urgency urgency_;
  loader::UniqueFd epoll_;
  loader::UniqueFd timer_;
  uint64_t awake_ns_ = 0;       // since when the loop has been running; accounted up to there
  uint64_t now_ns_ = 0;         // CLOCK_MONOTONIC, as of the last look
  uint64_t chores_ns_ = 0;      // when heartbeat and control were last seen to
  uint64_t armed_ns_ = 0;       // what the timer is set to
  uint64_t lead_ns_ = 0;        // how much earlier than needed the timer is set
  uint64_t agent_lost_ns_ = 0;  // 0: it is there
  uint64_t last_frame_ns_ = 0;  // when the last frame came in
  bool tap_gone_ = false;
};

}  // namespace sabot::pacer

#endif  // SABOT_AGENT_PACER_PACER_H_
