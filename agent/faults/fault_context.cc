// SPDX-License-Identifier: Apache-2.0
#include "agent/faults/fault_context.h"

#include "loader/status.h"

namespace sabot::agent {

absl::StatusOr<NetworkEngine*> FaultContext::Network() {
  if (network_ == nullptr) {
    NetworkEngine::Options options = {
        .limits = {.lanes = options_.max_targets, .rules = options_.max_faults, .hosts = options_.max_peers},
        .tcx = features_.Has(loader::Feature::kTcx),
        .owner = options_.owner,
        .helper_path = options_.helper_path};
    SABOT_ASSIGN_OR_RETURN(network_, NetworkEngine::Create(std::move(options), journal_, state_dir_));
    network_->SetLease(lease_ns_);
  }
  return network_.get();
}

absl::StatusOr<ClockEngine*> FaultContext::Clock(bool follow) {
  auto& engine = clocks_[follow ? 1 : 0];
  if (engine == nullptr) {
    SABOT_ASSIGN_OR_RETURN(
        engine, ClockEngine::Create({.owner = options_.owner, .follow = follow}, journal_, state_dir_));
    engine->SetLease(lease_ns_);
  }
  return engine.get();
}

absl::StatusOr<SyscallEngine*> FaultContext::Syscalls() {
  if (syscalls_ == nullptr) {
    const loader::SyscallPrograms::Options options = {
        .rules = options_.max_faults,
        .keys = options_.max_faults * 8,
        .kprobe_override = features_.Has(loader::Feature::kKprobeOverride),
        .fmod_ret_syscall = features_.Has(loader::Feature::kFmodRetSyscall),
        .fmod_ret_security = features_.Has(loader::Feature::kFmodRetSecurity),
        .cgroup_sock_addr = features_.Has(loader::Feature::kCgroupSockAddr),
        .cgroup_sockopt = features_.Has(loader::Feature::kCgroupSockopt),
        .self = OwnThreadGroup()};
    SABOT_ASSIGN_OR_RETURN(syscalls_, SyscallEngine::Create(options));
    syscalls_->SetLease(lease_ns_);
  }
  return syscalls_.get();
}

void FaultContext::SetLease(uint64_t boottime_ns) {
  lease_ns_ = boottime_ns;
  for (auto& engine : clocks_) {
    if (engine != nullptr) engine->SetLease(boottime_ns);
  }
  if (network_ != nullptr) network_->SetLease(boottime_ns);
  if (syscalls_ != nullptr) syscalls_->SetLease(boottime_ns);
}

absl::Status FaultContext::Refresh() {
  absl::Status first = network_ == nullptr ? absl::OkStatus() : network_->Refresh();
  for (auto& engine : clocks_) {
    if (engine != nullptr) first.Update(engine->Refresh());
  }
  return first;
}

void FaultContext::Sweep() {
  if (network_ != nullptr) network_->Sweep();
}

}  // namespace sabot::agent
