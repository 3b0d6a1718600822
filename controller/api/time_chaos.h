// SPDX-License-Identifier: Apache-2.0
//
// TimeChaos (chaos-mesh.org/v1alpha1). A plain value, named and shaped as the custom resource.
#ifndef SABOT_CONTROLLER_API_TIME_CHAOS_H_
#define SABOT_CONTROLLER_API_TIME_CHAOS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/api/sabot_options.h"
#include "controller/api/selector.h"

namespace sabot::api {

struct TimeChaosSpec {
  PodSelector source;                        // `selector`, `mode`, `value`
  std::vector<std::string> container_names;  // empty: the first container of each pod
  std::string time_offset;                   // a Go duration, negative ones too
  std::vector<std::string> clock_ids;        // "CLOCK_REALTIME"...; upstream checks them at injection only
  std::string duration;                      // a Go duration; empty: until it is stopped
  std::string remote_cluster;

  SabotOptions sabot;
  // `spec.sabot.driftPpm`: microseconds per second that the clocks run fast (negative: slow) from the begin
  // on, beside the offset. -1 000 000 to 1 000 000.
  int64_t drift_ppm = 0;
  // `spec.sabot.freeze`: the clocks stand still.
  bool freeze = false;
};

// The number of a clock that TimeChaos knows by this name, nullopt for others.
std::optional<uint32_t> ClockNumber(std::string_view name);

}  // namespace sabot::api

#endif  // SABOT_CONTROLLER_API_TIME_CHAOS_H_
