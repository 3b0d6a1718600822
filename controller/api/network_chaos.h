// SPDX-License-Identifier: Apache-2.0
//
// NetworkChaos (chaos-mesh.org/v1alpha1). Plain values, named and shaped as in the custom resource; what is a
// string there is a string here, so that nothing is lost in between. All of it has been validated when it
// comes out of ParseManifests(): enums are known, durations, numbers and rates parse. What upstream admits
// though it makes no sense (a loss of 101 %) is still in here.
#ifndef SABOT_CONTROLLER_API_NETWORK_CHAOS_H_
#define SABOT_CONTROLLER_API_NETWORK_CHAOS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/api/sabot_options.h"
#include "controller/api/selector.h"

namespace sabot::api {

enum class NetworkAction { kNetem, kDelay, kLoss, kDuplicate, kCorrupt, kPartition, kBandwidth };

// "netem", "delay", ...
std::string_view NetworkActionName(NetworkAction action);

enum class NetworkDirection { kTo, kFrom, kBoth };

enum class PartitionBehavior { kDrop, kReject };

struct ReorderSpec {
  std::string reorder;  // percent, a Go float
  std::string correlation = "0";
  int64_t gap = 0;
};

struct DelaySpec {
  std::string latency;  // a Go duration of one number and one unit
  std::string correlation = "0";
  std::string jitter = "0ms";
  std::optional<ReorderSpec> reorder;
};

struct LossSpec {
  std::string loss;  // percent, a Go float
  std::string correlation = "0";
};

struct DuplicateSpec {
  std::string duplicate;
  std::string correlation = "0";
};

struct CorruptSpec {
  std::string corrupt;
  std::string correlation = "0";
};

struct RateSpec {
  std::string rate;  // "1mbps"
};

struct BandwidthSpec {
  std::string rate;
  int64_t limit = 0;   // bytes, from 1
  int64_t buffer = 0;  // bytes, from 1
  std::optional<int64_t> peakrate;
  std::optional<int64_t> minburst;
};

// Which blocks are present decides what is done; `action` only tells partition, bandwidth and the rest apart.
struct NetworkChaosSpec {
  PodSelector source;  // `selector`, `mode`, `value`
  NetworkAction action = NetworkAction::kNetem;
  std::string device;  // of the selected pods; empty: every device
  NetworkDirection direction = NetworkDirection::kTo;
  std::optional<PodSelector> target;
  std::string target_device;  // of the target pods
  std::vector<std::string> external_targets;

  std::optional<DelaySpec> delay;
  std::optional<LossSpec> loss;
  std::optional<DuplicateSpec> duplicate;
  std::optional<CorruptSpec> corrupt;
  std::optional<RateSpec> rate;
  std::optional<BandwidthSpec> bandwidth;
  PartitionBehavior partition_behavior = PartitionBehavior::kDrop;

  std::string duration;  // a Go duration; empty: until it is stopped
  std::string remote_cluster;
  SabotOptions sabot;
};

}  // namespace sabot::api

#endif  // SABOT_CONTROLLER_API_NETWORK_CHAOS_H_
