// SPDX-License-Identifier: Apache-2.0
#ifndef SABOT_CONTROLLER_PLAN_MODE_H_
#define SABOT_CONTROLLER_PLAN_MODE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/random/bit_gen_ref.h"
#include "absl/status/statusor.h"
#include "controller/api/selector.h"

namespace sabot::plan {

// Uniform in 0 .. `bound` - 1; `bound` is at least 1. The same bits always give the same number, whatever
// library the program is built with.
uint64_t UniformBelow(uint64_t bound, absl::BitGenRef rng);

// Which of `count` objects the mode takes, ascending: one; all; min(value, count); ceil(count * value %); or
// ceil(count * p %) with p uniform in 0 .. value, which may be none. Random choices are without repetition.
// InvalidArgument, with upstream's text, for a value that the mode cannot have or when `count` is 0.
absl::StatusOr<std::vector<size_t>> ChooseByMode(api::Mode mode, const std::string& value, size_t count,
                                                 absl::BitGenRef rng);

}  // namespace sabot::plan

#endif  // SABOT_CONTROLLER_PLAN_MODE_H_
