// SPDX-License-Identifier: Apache-2.0
#ifndef SABOT_AGENT_FAULTS_FAULT_CONTEXT_H_
#define SABOT_AGENT_FAULTS_FAULT_CONTEXT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/clock/engine.h"
#include "agent/journal.h"
#include "agent/network/engine.h"
#include "agent/state_dir.h"
#include "agent/syscall/engine.h"
#include "loader/probe.h"

namespace sabot::agent {

// What the families share: engines that are loaded when the first fault needs them. Owner thread only.
class FaultContext {
 public:
  struct Options {
    // Room in the network programs' maps; fixed once they are loaded.
    uint32_t max_targets = 2048;
    uint32_t max_faults = 8192;
    uint32_t max_peers = 262'144;  // whole addresses, per family
    std::string owner;
    std::string helper_path;
  };
  FaultContext(Options options, Journal& journal, const StateDir& state_dir, const loader::Features& features)
      : options_(std::move(options)), journal_(journal), state_dir_(state_dir), features_(features) {}

  absl::StatusOr<NetworkEngine*> Network();
  // `follow`: new processes are told of by the kernel.
  absl::StatusOr<ClockEngine*> Clock(bool follow);
  absl::StatusOr<SyscallEngine*> Syscalls();

  // How many faults begin together.
  size_t at_once() const { return at_once_; }
  void SetAtOnce(size_t faults) { at_once_ = faults; }

  // In force for engines that exist and for those that come.
  void SetLease(uint64_t boottime_ns);
  absl::Status Refresh();
  void Sweep();

 private:
  Options options_;
  Journal& journal_;
  const StateDir& state_dir_;
  const loader::Features& features_;
  size_t at_once_ = 1;
  uint64_t lease_ns_ = 0;
  std::unique_ptr<NetworkEngine> network_;
  std::unique_ptr<ClockEngine> clocks_[2];  // that looks for processes, that follows them
  std::unique_ptr<SyscallEngine> syscalls_;
};

}  // namespace sabot::agent

#endif  // SABOT_AGENT_FAULTS_FAULT_CONTEXT_H_
