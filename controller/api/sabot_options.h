// SPDX-License-Identifier: Apache-2.0
//
// `spec.sabot`: what goes beyond upstream's schema. Absent, a manifest means exactly what it means upstream.
#ifndef SABOT_CONTROLLER_API_SABOT_OPTIONS_H_
#define SABOT_CONTROLLER_API_SABOT_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sabot::api {

enum class MinimumFidelity { kAny, kDegraded, kExact };

struct SabotOptions {
  // `mechanism`: a rung's name or a list of them ("edt", "netem"); empty: every rung. The names are checked
  // by the node, which knows its ladders.
  std::vector<std::string> mechanism;
  // `fidelity`: "degraded" or "exact".
  MinimumFidelity fidelity = MinimumFidelity::kAny;
  // `maxTargets`, from 1: more pods than this to be hit is an error of the plan.
  std::optional<int64_t> max_targets;
};

}  // namespace sabot::api

#endif  // SABOT_CONTROLLER_API_SABOT_OPTIONS_H_
