// SPDX-License-Identifier: Apache-2.0
#include "controller/plan/network_effects.h"

#include <string>

#include "absl/time/time.h"
#include "controller/api/go_duration.h"
#include "controller/api/go_number.h"
#include "controller/api/report.h"
#include "controller/api/str_cat.h"

namespace sabot::plan {
namespace {

using api::Quoted;
using api::StrCat;
using sabot::v1::NetworkFault;

void NotSupported(std::string_view path, PlanProblems& problems) {
  problems.Error(path, "not supported by this version");
}

// Both are sound Go numbers and durations when they come from a manifest; what is not counts as not zero.
bool IsZeroNumber(const std::string& text) {
  const absl::StatusOr<double> number = api::ParseGoFloat32(text);
  return number.ok() && *number == 0;
}

bool IsZeroDuration(const std::string& text) {
  if (text.empty()) return true;
  const absl::StatusOr<absl::Duration> duration = api::ParseGoDuration(text);
  return duration.ok() && *duration == absl::ZeroDuration();
}

NetworkEffect LossEffect(const api::LossSpec& loss, PlanProblems& problems) {
  NetworkEffect effect{"loss", {}};
  const absl::StatusOr<double> percent = api::ParseGoFloat32(loss.loss);
  // Put this way round, NaN is out of range too.
  if (!percent.ok() || !(*percent >= 0 && *percent <= 100)) {
    problems.Error("spec.loss.loss", StrCat(Quoted(loss.loss), ": must be a percentage from 0 to 100"));
  } else {
    effect.fault.mutable_loss()->set_percent(*percent);
  }
  if (!IsZeroNumber(loss.correlation)) NotSupported("spec.loss.correlation", problems);
  return effect;
}

NetworkEffect DelayEffect(const api::DelaySpec& delay, PlanProblems& problems) {
  NetworkEffect effect{"delay", {}};
  const absl::StatusOr<absl::Duration> latency = api::ParseGoDuration(delay.latency);
  if (!latency.ok() || *latency < absl::Nanoseconds(1) || *latency > absl::Hours(1)) {
    problems.Error("spec.delay.latency", StrCat(Quoted(delay.latency), ": must be from 1ns to 1h"));
  } else {
    effect.fault.mutable_delay()->set_latency_ns(static_cast<uint64_t>(absl::ToInt64Nanoseconds(*latency)));
  }
  if (!IsZeroDuration(delay.jitter)) NotSupported("spec.delay.jitter", problems);
  if (!IsZeroNumber(delay.correlation)) NotSupported("spec.delay.correlation", problems);
  if (delay.reorder) NotSupported("spec.delay.reorder", problems);
  return effect;
}

// `action` does not choose among the blocks: all that are there act.
std::vector<NetworkEffect> PacketEffects(const api::NetworkChaosSpec& spec, PlanProblems& problems) {
  std::vector<NetworkEffect> effects;
  if (spec.action == api::NetworkAction::kBandwidth) NotSupported("spec.action", problems);
  if (spec.delay) effects.push_back(DelayEffect(*spec.delay, problems));
  if (spec.loss) effects.push_back(LossEffect(*spec.loss, problems));
  if (spec.duplicate) NotSupported("spec.duplicate", problems);
  if (spec.corrupt) NotSupported("spec.corrupt", problems);
  if (spec.rate) NotSupported("spec.rate", problems);
  if (spec.bandwidth) NotSupported("spec.bandwidth", problems);
  const bool any = !effects.empty() || spec.duplicate || spec.corrupt || spec.rate || spec.bandwidth;
  if (!any && spec.action != api::NetworkAction::kBandwidth) {
    problems.Error(
        "spec.action",
        "invalid spec for netem action, at least one is required from delay, loss, duplicate, corrupt");
  }
  return effects;
}

}  // namespace

std::vector<NetworkEffect> NetworkEffects(const api::NetworkChaosSpec& spec, PlanProblems& problems) {
  if (spec.action != api::NetworkAction::kPartition) return PacketEffects(spec, problems);
  // A partition looks at none of the blocks; validation has warned of those that are there.
  if (spec.partition_behavior == api::PartitionBehavior::kReject)
    NotSupported("spec.partitionBehavior", problems);
  NetworkEffect effect{"partition", {}};
  effect.fault.mutable_partition();
  return {effect};
}

}  // namespace sabot::plan
