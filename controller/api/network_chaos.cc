// SPDX-License-Identifier: Apache-2.0
//
// NetworkChaos: the fields of its spec, in one look.
#include "controller/api/network_chaos.h"

#include <limits>

#include "controller/api/decode.h"
#include "controller/api/go_duration.h"
#include "controller/api/kinds.h"
#include "controller/api/network_chaos_validation.h"

namespace sabot::api {
namespace {

constexpr int64_t kMaxInt32 = std::numeric_limits<int32_t>::max();

constexpr EnumName<NetworkAction> kActions[] = {
    {NetworkAction::kNetem, "netem"},         {NetworkAction::kDelay, "delay"},
    {NetworkAction::kLoss, "loss"},           {NetworkAction::kDuplicate, "duplicate"},
    {NetworkAction::kCorrupt, "corrupt"},     {NetworkAction::kPartition, "partition"},
    {NetworkAction::kBandwidth, "bandwidth"},
};

constexpr EnumName<NetworkDirection> kDirections[] = {
    {NetworkDirection::kTo, "to"},
    {NetworkDirection::kFrom, "from"},
    {NetworkDirection::kBoth, "both"},
};

constexpr EnumName<PartitionBehavior> kPartitionBehaviors[] = {
    {PartitionBehavior::kDrop, "drop"},
    {PartitionBehavior::kReject, "reject"},
};

constexpr StringRule kPercent = {.required = true};
constexpr StringRule kCorrelation = {.default_value = "0"};
constexpr StringRule kLatency = {
    .required = true, .matches = IsSimpleDuration, .pattern = kSimpleDurationPattern};
constexpr StringRule kJitter = {
    .default_value = "0ms", .matches = IsSimpleDuration, .pattern = kSimpleDurationPattern};

void DecodeFields(ObjectDecoder& fields, ReorderSpec& out) {
  fields.String("reorder", &out.reorder, kPercent);
  fields.String("correlation", &out.correlation, kCorrelation);
  fields.Int("gap", &out.gap, {.required = true});
}

// A block of the spec: present in `out` when it is in the manifest.
template <typename Block, typename Decode>
void DecodeBlock(ObjectDecoder& parent, std::string_view name, std::optional<Block>& out, Decode decode) {
  const YamlNode* node = parent.Child(name);
  if (node == nullptr) return;
  ObjectDecoder fields(*node, parent.PathOf(name), parent.context());
  decode(fields, out.emplace());
  fields.Finish();
}

void DecodeFields(ObjectDecoder& fields, DelaySpec& out) {
  fields.String("latency", &out.latency, kLatency);
  fields.String("correlation", &out.correlation, kCorrelation);
  fields.String("jitter", &out.jitter, kJitter);
  DecodeBlock(fields, "reorder", out.reorder,
              [](ObjectDecoder& reorder, ReorderSpec& spec) { DecodeFields(reorder, spec); });
}

void DecodeFields(ObjectDecoder& fields, BandwidthSpec& out) {
  fields.String("rate", &out.rate, {.required = true});
  fields.Int("limit", &out.limit, {.required = true, .minimum = 1, .maximum = kMaxInt32});
  fields.Int("buffer", &out.buffer, {.required = true, .minimum = 1, .maximum = kMaxInt32});
  int64_t number = 0;
  if (fields.Int("peakrate", &number, {.minimum = 0})) out.peakrate = number;
  if (fields.Int("minburst", &number, {.minimum = 0, .maximum = kMaxInt32})) out.minburst = number;
}

// delay, loss, duplicate, corrupt, rate, bandwidth.
void DecodeBlocks(ObjectDecoder& spec, NetworkChaosSpec& out) {
  DecodeBlock(spec, "delay", out.delay,
              [](ObjectDecoder& fields, DelaySpec& block) { DecodeFields(fields, block); });
  DecodeBlock(spec, "loss", out.loss, [](ObjectDecoder& fields, LossSpec& block) {
    fields.String("loss", &block.loss, kPercent);
    fields.String("correlation", &block.correlation, kCorrelation);
  });
  DecodeBlock(spec, "duplicate", out.duplicate, [](ObjectDecoder& fields, DuplicateSpec& block) {
    fields.String("duplicate", &block.duplicate, kPercent);
    fields.String("correlation", &block.correlation, kCorrelation);
  });
  DecodeBlock(spec, "corrupt", out.corrupt, [](ObjectDecoder& fields, CorruptSpec& block) {
    fields.String("corrupt", &block.corrupt, kPercent);
    fields.String("correlation", &block.correlation, kCorrelation);
  });
  DecodeBlock(spec, "rate", out.rate, [](ObjectDecoder& fields, RateSpec& block) {
    fields.String("rate", &block.rate, {.required = true});
  });
  DecodeBlock(spec, "bandwidth", out.bandwidth,
              [](ObjectDecoder& fields, BandwidthSpec& block) { DecodeFields(fields, block); });
}

// Only what stands before '@' counts, so that the names that `ip link` prints ("eth0@if3") can be used.
void CutDevice(std::string& device) { device.resize(std::min(device.size(), device.find('@'))); }

}  // namespace

std::string_view NetworkActionName(NetworkAction action) {
  for (const EnumName<NetworkAction>& one : kActions) {
    if (one.value == action) return one.name;
  }
  return "";
}

void DecodeNetworkChaos(ObjectDecoder& spec, Experiment& experiment) {
  NetworkChaosSpec& out = experiment.spec.emplace<NetworkChaosSpec>();
  const std::string& own_namespace = experiment.metadata.ns;
  out.source = DecodePodSelector(spec, own_namespace);
  spec.Enum<NetworkAction>("action", kActions, &out.action, {.required = true});
  spec.String("device", &out.device);
  spec.Enum<NetworkDirection>("direction", kDirections, &out.direction, {.default_value = "to"});
  DecodeBlock(spec, "target", out.target, [&own_namespace](ObjectDecoder& target, PodSelector& selector) {
    selector = DecodePodSelector(target, own_namespace);
  });
  spec.String("targetDevice", &out.target_device);
  spec.StringList("externalTargets", &out.external_targets);
  DecodeBlocks(spec, out);
  spec.Enum<PartitionBehavior>("partitionBehavior", kPartitionBehaviors, &out.partition_behavior,
                               {.default_value = "drop"});
  spec.String("duration", &out.duration);
  spec.String("remoteCluster", &out.remote_cluster);
  out.sabot = DecodeSabotOptions(spec);
  CutDevice(out.device);
  CutDevice(out.target_device);
  ValidateNetworkChaos(out, Validation(spec.context().report, experiment.source));
}

}  // namespace sabot::api
