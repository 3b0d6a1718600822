// SPDX-License-Identifier: Apache-2.0
//
// One fault of the map on its way from pending to over. Owner thread only.
//
//   Pending ──apply──► Injected ──deadline, left the map, target gone, halt──► (ending) ──► Expired,
//   Recovered, Lost
//      └──► Rejected       └──target changed──► Pending                          └──cannot be undone──►
//      Leftover
#ifndef SABOT_AGENT_LIVE_FAULT_H_
#define SABOT_AGENT_LIVE_FAULT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "agent/faults/fault_context.h"
#include "agent/faults/fault_type.h"
#include "agent/ladder.h"
#include "agent/target.h"
#include "sabot/v1/fault.pb.h"

namespace sabot::agent {

// What live faults need of their reconciler.
struct FaultRuntime {
  FaultContext& context;
  const loader::Features& features;
  const ForcedMechanisms& forced;
  const ContainerLookup& containers;
};

class LiveFault {
 public:
  // `now_ns` (CLOCK_BOOTTIME) is when the fault was received: its deadline counts from there.
  LiveFault(sabot::v1::Fault fault, uint64_t now_ns);

  // Goes one step: tries to apply what is pending, ends what is due, goes on undoing. Never waits.
  void Step(FaultRuntime& runtime, uint64_t now_ns);

  // Ends it as `phase` (kRecovered, ...) unless it is over already.
  void End(sabot::v1::FaultPhase phase, std::string message);

  // The same fault was received again; only its deadline may differ.
  void Renew(const sabot::v1::Fault& fault, uint64_t now_ns);

  const sabot::v1::Fault& fault() const { return fault_; }
  sabot::v1::FaultPhase phase() const { return phase_; }
  // Nothing more will happen to it, unless a leftover can be undone after all.
  bool over() const;
  // Applied, or found that it cannot be, or not now.
  bool tried() const { return tried_; }
  // Shall be over, and is being undone.
  bool ending() const { return ending_; }
  // CLOCK_BOOTTIME of its deadline; UINT64_MAX: none, or over.
  uint64_t due_ns() const;

  sabot::v1::FaultStatus Status(uint64_t now_ns);

 private:
  void TryApply(FaultRuntime& runtime);
  absl::Status ApplyBestRung(FaultRuntime& runtime, const FaultType& type);
  void FollowTarget(FaultRuntime& runtime, uint64_t now_ns);
  void Undo();
  void CountIn();
  void Reject(const absl::Status& status);

  sabot::v1::Fault fault_;
  uint64_t end_ns_;
  sabot::v1::FaultPhase phase_ = sabot::v1::PENDING;
  std::string message_;
  bool tried_ = false;

  ResolvedTargetPtr target_;
  const Rung* rung_ = nullptr;
  std::vector<RejectedRung> rejected_;
  std::unique_ptr<Injection> injection_;
  sabot::v1::Counters before_;  // of injections that are over
  uint64_t next_look_ns_ = 0;   // at the target

  bool ending_ = false;
  sabot::v1::FaultPhase final_phase_ = sabot::v1::RECOVERED;
  std::string final_message_;
};

}  // namespace sabot::agent

#endif  // SABOT_AGENT_LIVE_FAULT_H_
