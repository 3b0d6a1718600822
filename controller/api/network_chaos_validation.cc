// SPDX-License-Identifier: Apache-2.0
#include "controller/api/network_chaos_validation.h"
#include "controller/api/str_cat.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"

namespace sabot::api {
namespace {

constexpr size_t kMaxDeviceName = 15;  // IFNAMSIZ without the NUL

void ValidateDelay(const DelaySpec& delay, const Validation& to) {
  ValidateDuration(to, "spec.delay.latency", delay.latency);
  ValidateDuration(to, "spec.delay.jitter", delay.jitter);
  ValidatePercentString(to, "spec.delay.correlation", delay.correlation);
  if (!delay.reorder) return;
  ValidatePercentString(to, "spec.delay.reorder.reorder", delay.reorder->reorder);
  ValidatePercentString(to, "spec.delay.reorder.correlation", delay.reorder->correlation);
}

void ValidateBlocks(const NetworkChaosSpec& spec, const Validation& to) {
  if (spec.delay) ValidateDelay(*spec.delay, to);
  if (spec.loss) {
    ValidatePercentString(to, "spec.loss.loss", spec.loss->loss);
    ValidatePercentString(to, "spec.loss.correlation", spec.loss->correlation);
  }
  if (spec.duplicate) {
    ValidatePercentString(to, "spec.duplicate.duplicate", spec.duplicate->duplicate);
    ValidatePercentString(to, "spec.duplicate.correlation", spec.duplicate->correlation);
  }
  if (spec.corrupt) {
    ValidatePercentString(to, "spec.corrupt.corrupt", spec.corrupt->corrupt);
    ValidatePercentString(to, "spec.corrupt.correlation", spec.corrupt->correlation);
  }
  if (spec.rate) ValidateRate(to, "spec.rate.rate", spec.rate->rate);
  if (spec.bandwidth) ValidateRate(to, "spec.bandwidth.rate", spec.bandwidth->rate);
}

std::string InvalidDirection(NetworkDirection direction, std::string_view reason) {
  return StrCat("Invalid value: ", direction == NetworkDirection::kFrom ? "\"from\"" : "\"both\"", ": ",
                reason);
}

// Which end the packets are looked at on; partition can do without any of this.
void ValidateDirection(const NetworkChaosSpec& spec, const Validation& to) {
  if (spec.action == NetworkAction::kPartition || spec.direction == NetworkDirection::kTo) return;
  if (!spec.external_targets.empty()) {
    to.Error("spec.direction",
             InvalidDirection(spec.direction,
                              "external targets cannot be used with `from` and `both` direction in "
                              "netem action yet"));
  } else if (!spec.target) {
    to.Error(
        "spec.direction",
        InvalidDirection(spec.direction,
                         "`from` and `both` direction cannot be used when targets is empty in netem action"));
  }
}

// Something that could be an address, a prefix or a host name, with a port or without.
bool LooksLikeExternalTarget(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(c) || std::string_view("-_.:/[]").find(c) != std::string_view::npos;
  });
}

void WarnOfDevices(const NetworkChaosSpec& spec, const Validation& to) {
  const auto warn = [&to](std::string_view path, const std::string& device) {
    if (device.size() <= kMaxDeviceName) return;
    to.Warning(path, StrCat(Quoted(device), " is longer than the ", kMaxDeviceName,
                            " bytes that a device's name can have"));
  };
  warn("spec.device", spec.device);
  warn("spec.targetDevice", spec.target_device);
}

// Blocks that the action does not look at, or an action without any.
void WarnOfBlocks(const NetworkChaosSpec& spec, const Validation& to) {
  const bool netem = spec.delay || spec.loss || spec.duplicate || spec.corrupt || spec.rate;
  if (spec.action == NetworkAction::kPartition) {
    constexpr std::string_view kText = "has no effect: action partition looks at no such block";
    if (spec.delay) to.Warning("spec.delay", kText);
    if (spec.loss) to.Warning("spec.loss", kText);
    if (spec.duplicate) to.Warning("spec.duplicate", kText);
    if (spec.corrupt) to.Warning("spec.corrupt", kText);
    if (spec.rate) to.Warning("spec.rate", kText);
    if (spec.bandwidth) to.Warning("spec.bandwidth", kText);
  } else if (spec.action == NetworkAction::kBandwidth) {
    constexpr std::string_view kText = "has no effect: action bandwidth looks at no such block";
    if (spec.delay) to.Warning("spec.delay", kText);
    if (spec.loss) to.Warning("spec.loss", kText);
    if (spec.duplicate) to.Warning("spec.duplicate", kText);
    if (spec.corrupt) to.Warning("spec.corrupt", kText);
    if (spec.rate) to.Warning("spec.rate", kText);
  } else if (!netem) {
    to.Warning("spec.action",
               "nothing to inject: at least one is required from delay, loss, duplicate, corrupt, rate");
  } else if (spec.bandwidth) {
    to.Warning("spec.bandwidth", "has no effect: only action bandwidth looks at this block");
  }
}

}  // namespace

void ValidateNetworkChaos(const NetworkChaosSpec& spec, const Validation& to) {
  ValidatePodSelector(to, "spec", spec.source);
  if (spec.target) ValidatePodSelector(to, "spec.target", *spec.target);
  ValidateDuration(to, "spec.duration", spec.duration);
  ValidateBlocks(spec, to);
  ValidateDirection(spec, to);
  WarnOfDevices(spec, to);
  WarnOfBlocks(spec, to);
  for (size_t i = 0; i < spec.external_targets.size(); ++i) {
    if (LooksLikeExternalTarget(spec.external_targets[i])) continue;
    to.Warning(StrCat("spec.externalTargets[", i, "]"),
               StrCat(Quoted(spec.external_targets[i]), " is no address, no prefix and no host name"));
  }
}

}  // namespace sabot::api
