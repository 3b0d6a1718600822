// SPDX-License-Identifier: Apache-2.0
#include "controller/plan/network_effects.h"

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "controller/api/go_duration.h"
#include "controller/api/go_number.h"
#include "controller/api/rate.h"
#include "controller/api/report.h"
#include "controller/api/str_cat.h"

namespace sabot::plan {
namespace {

using api::Quoted;
using api::StrCat;
using sabot::v1::NetworkFault;

constexpr uint64_t kMaxRate = uint64_t{1} << 53;
// What waits for `rate`: a thousand full packets, as netem holds by default.
constexpr uint64_t kRateLimitBytes = 1'514'000;

void NotSupported(std::string_view path, PlanProblems& problems) {
  problems.Error(path, "not supported by this version");
}

double Percent(std::string_view path, const std::string& text, PlanProblems& problems) {
  const absl::StatusOr<double> percent = api::ParseGoFloat32(text);
  // Put this way round, NaN is out of range too.
  if (percent.ok() && *percent >= 0 && *percent <= 100) return *percent;
  problems.Error(path, StrCat(Quoted(text), ": must be a percentage from 0 to 100"));
  return 0;
}

NetworkEffect LossEffect(const api::LossSpec& loss, PlanProblems& problems) {
  NetworkEffect effect{"loss", {}};
  effect.fault.mutable_loss()->set_percent(Percent("spec.loss.loss", loss.loss, problems));
  effect.fault.mutable_loss()->set_correlation(Percent("spec.loss.correlation", loss.correlation, problems));
  return effect;
}

NetworkEffect DuplicateEffect(const api::DuplicateSpec& duplicate, PlanProblems& problems) {
  NetworkEffect effect{"duplicate", {}};
  auto& fault = *effect.fault.mutable_duplicate();
  fault.set_percent(Percent("spec.duplicate.duplicate", duplicate.duplicate, problems));
  fault.set_correlation(Percent("spec.duplicate.correlation", duplicate.correlation, problems));
  return effect;
}

NetworkEffect CorruptEffect(const api::CorruptSpec& corrupt, PlanProblems& problems) {
  NetworkEffect effect{"corrupt", {}};
  auto& fault = *effect.fault.mutable_corrupt();
  fault.set_percent(Percent("spec.corrupt.corrupt", corrupt.corrupt, problems));
  fault.set_correlation(Percent("spec.corrupt.correlation", corrupt.correlation, problems));
  return effect;
}

NetworkEffect DelayEffect(const api::DelaySpec& delay, PlanProblems& problems) {
  NetworkEffect effect{"delay", {}};
  auto& fault = *effect.fault.mutable_delay();
  const absl::StatusOr<absl::Duration> latency = api::ParseGoDuration(delay.latency);
  if (!latency.ok() || *latency < absl::Nanoseconds(1) || *latency > absl::Hours(1)) {
    problems.Error("spec.delay.latency", StrCat(Quoted(delay.latency), ": must be from 1ns to 1h"));
    return effect;
  }
  fault.set_latency_ns(static_cast<uint64_t>(absl::ToInt64Nanoseconds(*latency)));
  const absl::StatusOr<absl::Duration> jitter =
      delay.jitter.empty() ? absl::ZeroDuration() : api::ParseGoDuration(delay.jitter);
  if (!jitter.ok() || *jitter < absl::ZeroDuration() || *latency + *jitter > absl::Hours(1)) {
    problems.Error("spec.delay.jitter",
                   StrCat(Quoted(delay.jitter), ": must not be negative, nor exceed 1h with the latency"));
    return effect;
  }
  fault.set_jitter_ns(static_cast<uint64_t>(absl::ToInt64Nanoseconds(*jitter)));
  fault.set_correlation(Percent("spec.delay.correlation", delay.correlation, problems));
  if (!delay.reorder) return effect;
  fault.set_reorder_percent(Percent("spec.delay.reorder.reorder", delay.reorder->reorder, problems));
  fault.set_reorder_correlation(
      Percent("spec.delay.reorder.correlation", delay.reorder->correlation, problems));
  if (delay.reorder->gap < 0 || delay.reorder->gap > INT32_MAX) {
    problems.Error("spec.delay.reorder.gap", "must be from 0 to 2147483647");
  } else {
    fault.set_reorder_gap(static_cast<uint32_t>(delay.reorder->gap));
  }
  return effect;
}

// Bytes a second; 0, with a problem, where that is none.
uint64_t BytesPerSecond(std::string_view path, const std::string& text, PlanProblems& problems) {
  const absl::StatusOr<uint64_t> bits = api::ParseRate(text);
  if (bits.ok() && *bits >= 8 && *bits / 8 <= kMaxRate) return *bits / 8;
  problems.Error(path, StrCat(Quoted(text), ": must be from 8bit to ", kMaxRate, " bytes a second"));
  return 0;
}

NetworkEffect RateEffect(const api::RateSpec& rate, PlanProblems& problems) {
  NetworkEffect effect{"rate", {}};
  auto& fault = *effect.fault.mutable_rate();
  fault.set_bytes_per_second(BytesPerSecond("spec.rate.rate", rate.rate, problems));
  fault.set_limit_bytes(kRateLimitBytes);
  return effect;
}

NetworkEffect BandwidthEffect(const api::BandwidthSpec& bandwidth, PlanProblems& problems) {
  NetworkEffect effect{"rate", {}};
  auto& fault = *effect.fault.mutable_rate();
  fault.set_bytes_per_second(BytesPerSecond("spec.bandwidth.rate", bandwidth.rate, problems));
  const auto bytes = [&](std::string_view field, int64_t value, int64_t low) {
    if (value >= low && value <= UINT32_MAX) return static_cast<uint32_t>(value);
    problems.Error(StrCat("spec.bandwidth.", field), StrCat("must be from ", low, " to 4294967295"));
    return uint32_t{1};
  };
  fault.set_limit_bytes(bytes("limit", bandwidth.limit, 1));
  fault.set_burst_bytes(bytes("buffer", bandwidth.buffer, 1));
  fault.set_peak_burst_bytes(bytes("minburst", bandwidth.minburst.value_or(0), 0));
  const int64_t peak = bandwidth.peakrate.value_or(0);
  if (peak < 0 || static_cast<uint64_t>(peak) > kMaxRate) {
    problems.Error("spec.bandwidth.peakrate", StrCat("must be from 0 to ", kMaxRate, " bytes a second"));
  } else {
    fault.set_peak_bytes_per_second(static_cast<uint64_t>(peak));
  }
  return effect;
}

// `action` only tells bandwidth from the rest: of the other blocks, all that are there act.
std::vector<NetworkEffect> PacketEffects(const api::NetworkChaosSpec& spec, PlanProblems& problems) {
  std::vector<NetworkEffect> effects;
  if (spec.action == api::NetworkAction::kBandwidth) {
    if (spec.bandwidth) return {BandwidthEffect(*spec.bandwidth, problems)};
    problems.Error("spec.bandwidth", "Required value: action bandwidth needs it");
    return {};
  }
  if (spec.delay) effects.push_back(DelayEffect(*spec.delay, problems));
  if (spec.loss) effects.push_back(LossEffect(*spec.loss, problems));
  if (spec.duplicate) effects.push_back(DuplicateEffect(*spec.duplicate, problems));
  if (spec.corrupt) effects.push_back(CorruptEffect(*spec.corrupt, problems));
  if (spec.rate) effects.push_back(RateEffect(*spec.rate, problems));
  if (effects.empty()) {
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
