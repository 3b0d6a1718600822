// SPDX-License-Identifier: Apache-2.0
//
// Durations as Go writes them, which is what every duration in a custom resource is.
#ifndef SABOT_CONTROLLER_API_GO_DURATION_H_
#define SABOT_CONTROLLER_API_GO_DURATION_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace sabot::api {

// What Go's time.ParseDuration gives, to the nanosecond: a sign and a sequence of decimal numbers with a unit
// each (ns, us, µs, ms, s, m, h), or "0". InvalidArgument with Go's text: `time: missing unit in duration
// "5"`. The result lies within ±2^63 ns, about 292 years.
absl::StatusOr<absl::Duration> ParseGoDuration(std::string_view text);

// True for what the CRDs ask of latency and jitter: one unsigned decimal number and one of ns, us, ms, s, m,
// h.
bool IsSimpleDuration(std::string_view text);
inline constexpr std::string_view kSimpleDurationPattern = R"(^[0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h)$)";

}  // namespace sabot::api

#endif  // SABOT_CONTROLLER_API_GO_DURATION_H_
