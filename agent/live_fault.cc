// SPDX-License-Identifier: Apache-2.0
#include "agent/live_fault.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "loader/status.h"

namespace sabot::agent {
namespace {

using sabot::v1::Fault;
using sabot::v1::FaultPhase;

constexpr uint64_t kNsPerMs = 1'000'000;
constexpr uint64_t kLookEveryNs = 1000 * kNsPerMs;

uint64_t EndOf(const Fault& fault, uint64_t now_ns) {
  return fault.expires_in_ms() == 0 ? UINT64_MAX : now_ns + fault.expires_in_ms() * kNsPerMs;
}

void Add(sabot::v1::Counters& sum, const sabot::v1::Counters& more) {
  sum.set_seen(sum.seen() + more.seen());
  sum.set_matched(sum.matched() + more.matched());
  sum.set_affected(sum.affected() + more.affected());
}

bool WaitsForTarget(const absl::Status& status) { return status.code() == absl::StatusCode::kUnavailable; }

absl::Status RefuseHostNetwork(const Fault& fault, const ResolvedTarget& target) {
  if (!fault.has_network() || !target.host_network || fault.target().allow_host_network()) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      target.description,
      " lives in the machine's own network namespace: a network fault there could cut off the machine "
      "(--allow-host-network permits it, by cgroup hooks only)"));
}

}  // namespace

LiveFault::LiveFault(Fault fault, uint64_t now_ns)
    : fault_(std::move(fault)), end_ns_(EndOf(fault_, now_ns)) {}

bool LiveFault::over() const {
  return phase_ != sabot::v1::PENDING && phase_ != sabot::v1::INJECTED && phase_ != sabot::v1::LEFTOVER &&
         !ending_;
}

uint64_t LiveFault::due_ns() const { return over() ? UINT64_MAX : end_ns_; }

void LiveFault::Renew(const Fault& fault, uint64_t now_ns) {
  if (fault.expires_in_ms() != fault_.expires_in_ms()) end_ns_ = EndOf(fault, now_ns);
  fault_ = fault;
}

void LiveFault::End(FaultPhase phase, std::string message) {
  if (over() || ending_) return;
  ending_ = true;
  final_phase_ = phase;
  final_message_ = std::move(message);
}

void LiveFault::Step(FaultRuntime& runtime, uint64_t now_ns) {
  if (over()) return;
  if (!ending_ && now_ns >= end_ns_) End(sabot::v1::EXPIRED, "");
  if (!ending_ && now_ns >= next_look_ns_) {
    next_look_ns_ = now_ns + kLookEveryNs;
    if (injection_ != nullptr) FollowTarget(runtime, now_ns);
    if (injection_ == nullptr && !ending_) TryApply(runtime);
  }
  if (ending_) Undo();
}

void LiveFault::Reject(const absl::Status& status) {
  phase_ = sabot::v1::REJECTED;
  message_ = std::string(status.message());
}

void LiveFault::TryApply(FaultRuntime& runtime) {
  tried_ = true;
  const FaultType* type = FindFaultType(fault_.kind_case());
  if (type == nullptr)
    return Reject(absl::InvalidArgumentError("kind: none is set, or one unknown to this version"));
  if (absl::Status valid = type->validate(fault_); !valid.ok()) return Reject(valid);
  auto target = ResolveTarget(fault_.target(), runtime.containers, target_.get());
  if (WaitsForTarget(target.status())) {
    message_ = std::string(target.status().message());
    return;
  }
  if (!target.ok() && target_ != nullptr) {
    return End(sabot::v1::LOST, std::string(target.status().message()));
  }
  if (!target.ok()) return Reject(target.status());
  target_ = *std::move(target);
  absl::Status applied = RefuseHostNetwork(fault_, *target_);
  if (applied.ok()) applied = ApplyBestRung(runtime, *type);
  if (!applied.ok()) return Reject(applied);
  phase_ = sabot::v1::INJECTED;
  message_ = injection_->Note();
}

absl::Status LiveFault::ApplyBestRung(FaultRuntime& runtime, const FaultType& type) {
  const Effect& effect = type.effect_of(fault_);
  const LadderRequest request = {
      .type = type,
      .effect = effect,
      .policy = fault_.mechanism(),
      .forced = runtime.forced,
      .features = runtime.features,
      .unfit = [&](const Rung& rung) { return type.unfit(rung, fault_, *target_); },
      .at_once = runtime.context.at_once(),
  };
  rejected_.clear();
  RungChoice choice(request);
  rung_ = choice.Next(rejected_);
  while (rung_ != nullptr) {
    auto injection = type.apply(runtime.context, *rung_, fault_, *target_, end_ns_);
    if (injection.ok()) {
      injection_ = *std::move(injection);
      return absl::OkStatus();
    }
    if (injection.status().code() != absl::StatusCode::kUnimplemented) {
      return absl::Status(injection.status().code(),
                          absl::StrCat(std::string(rung_->mechanism), " on ", target_->description, ": ",
                                       injection.status().message()));
    }
    rejected_.push_back({std::string(rung_->mechanism), std::string(injection.status().message())});
    rung_ = choice.Next(rejected_);
  }
  return absl::FailedPreconditionError(absl::StrCat("no mechanism can do ", std::string(effect.name), " on ",
                                                    target_->description, ": ", Describe(rejected_)));
}

// A restarted container is another namespace: what is on the old one goes, and the next look applies to the
// new one.
void LiveFault::FollowTarget(FaultRuntime& runtime, uint64_t) {
  const TargetChange change = Recheck(*target_);
  if (change == TargetChange::kSame) return;
  auto now = ResolveTarget(fault_.target(), runtime.containers, target_.get());
  if (now.ok() && SameScope(**now, *target_)) {
    target_ = *std::move(now);
    return;
  }
  if (!now.ok() && !WaitsForTarget(now.status())) {
    return End(sabot::v1::LOST, std::string(now.status().message()));
  }
  injection_->End().IgnoreError();  // what is left of it goes with the site
  CountIn();
  injection_.reset();
  phase_ = sabot::v1::PENDING;
  message_ = now.ok() ? "" : std::string(now.status().message());
}

void LiveFault::CountIn() {
  if (auto counters = injection_->Observe(); counters.ok()) Add(before_, *counters);
}

void LiveFault::Undo() {
  if (injection_ != nullptr) {
    const absl::Status ended = injection_->End();
    const absl::StatusOr<bool> gone = ended.ok() ? injection_->Gone() : absl::StatusOr<bool>(ended);
    if (!gone.ok()) {
      phase_ = sabot::v1::LEFTOVER;
      message_ = absl::StrCat("cannot be undone yet: ", gone.status().message());
    }
    if (!gone.ok() || !*gone) return;
    CountIn();
    injection_.reset();
  }
  ending_ = false;
  phase_ = final_phase_;
  message_ = final_message_;
}

sabot::v1::FaultStatus LiveFault::Status(uint64_t now_ns) {
  sabot::v1::FaultStatus status;
  status.set_id(fault_.id());
  *status.mutable_experiment() = fault_.experiment();
  status.set_target(fault_.target().name());
  status.set_phase(phase_);
  status.set_message(message_.empty() && injection_ != nullptr ? injection_->Note() : message_);
  if (const FaultType* type = FindFaultType(fault_.kind_case()); type != nullptr) {
    status.set_kind(absl::StrCat(std::string(type->family), "/", std::string(type->effect_of(fault_).name)));
  }
  if (rung_ != nullptr) {
    status.set_mechanism(std::string(rung_->mechanism));
    status.set_fidelity(rung_->fidelity);
  }
  for (const RejectedRung& rung : rejected_) {
    auto* rejected = status.add_rejected();
    rejected->set_mechanism(rung.mechanism);
    rejected->set_reason(rung.reason);
  }
  *status.mutable_counters() = before_;
  if (injection_ != nullptr) {
    if (auto counters = injection_->Observe(); counters.ok()) Add(*status.mutable_counters(), *counters);
  }
  status.set_has_deadline(end_ns_ != UINT64_MAX);
  if (status.has_deadline() && !over() && end_ns_ > now_ns)
    status.set_expires_in_ms((end_ns_ - now_ns) / kNsPerMs);
  return status;
}

}  // namespace sabot::agent
