// SPDX-License-Identifier: Apache-2.0
//
// TimeChaos: the fields of its spec, and what is wrong with their values.
#include "controller/api/time_chaos.h"

#include <algorithm>
#include <iterator>

#include "controller/api/decode.h"
#include "controller/api/go_duration.h"
#include "controller/api/kinds.h"
#include "controller/api/str_cat.h"
#include "controller/api/text_check.h"
#include "controller/api/validation.h"

namespace sabot::api {
namespace {

// By their numbers.
constexpr std::string_view kClocks[] = {
    "CLOCK_REALTIME",       "CLOCK_MONOTONIC",       "CLOCK_PROCESS_CPUTIME_ID", "CLOCK_THREAD_CPUTIME_ID",
    "CLOCK_MONOTONIC_RAW",  "CLOCK_REALTIME_COARSE", "CLOCK_MONOTONIC_COARSE",   "CLOCK_BOOTTIME",
    "CLOCK_REALTIME_ALARM", "CLOCK_BOOTTIME_ALARM",
};

constexpr int64_t kMaxDrift = 1'000'000;

bool IsProcessorTime(std::string_view clock) { return clock.find("CPUTIME") != std::string_view::npos; }

void ValidateTimeChaos(const TimeChaosSpec& spec, const Validation& to) {
  ValidatePodSelector(to, "spec", spec.source);
  if (const auto offset = ParseGoDuration(spec.time_offset); !offset.ok()) {
    to.Error("spec.timeOffset", StrCat("Invalid value: ", Quoted(spec.time_offset),
                                       ": error while parsing timeOffset: ", offset.status().message()));
  }
  // Upstream looks at it when the experiment runs.
  if (const auto duration = ParseGoDuration(spec.duration); !spec.duration.empty() && !duration.ok()) {
    to.Warning("spec.duration", StrCat(Quoted(spec.duration), " is no duration; the experiment will fail"));
  }
  const bool rate = spec.freeze || spec.drift_ppm != 0;
  for (size_t i = 0; i < spec.clock_ids.size(); ++i) {
    const std::string path = StrCat("spec.clockIds[", i, "]");
    if (!ClockNumber(spec.clock_ids[i])) {
      to.Warning(path, StrCat(Quoted(spec.clock_ids[i]), " is no clock; the experiment will fail"));
    } else if (rate && IsProcessorTime(spec.clock_ids[i])) {
      to.Error(path, "processor time can be neither frozen nor made to drift");
    }
  }
  if (spec.freeze && spec.drift_ppm != 0) {
    to.Error("spec.sabot.driftPpm", "a clock that stands still cannot drift");
  }
}

}  // namespace

std::optional<uint32_t> ClockNumber(std::string_view name) {
  const auto found = std::find(std::begin(kClocks), std::end(kClocks), name);
  if (found == std::end(kClocks)) return std::nullopt;
  return static_cast<uint32_t>(found - std::begin(kClocks));
}

void DecodeTimeChaos(ObjectDecoder& spec, Experiment& experiment) {
  TimeChaosSpec& out = experiment.spec.emplace<TimeChaosSpec>();
  out.source = DecodePodSelector(spec, experiment.metadata.ns);
  spec.StringList("containerNames", &out.container_names);
  spec.String("timeOffset", &out.time_offset, {.required = true});
  spec.StringList("clockIds", &out.clock_ids);
  if (out.clock_ids.empty()) out.clock_ids.emplace_back(kClocks[0]);
  spec.String("duration", &out.duration);
  spec.String("remoteCluster", &out.remote_cluster);
  out.sabot = DecodeSabotOptions(spec, [&out](ObjectDecoder& sabot) {
    sabot.Int("driftPpm", &out.drift_ppm, {.minimum = -kMaxDrift, .maximum = kMaxDrift});
    sabot.Bool("freeze", &out.freeze);
  });
  // A required field that is missing was reported already.
  if (!spec.Has("timeOffset")) out.time_offset.push_back('0');
  ValidateTimeChaos(out, Validation(spec.context().report, experiment.source));
}

}  // namespace sabot::api
