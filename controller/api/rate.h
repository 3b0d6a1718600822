// SPDX-License-Identifier: Apache-2.0
#ifndef SABOT_CONTROLLER_API_RATE_H_
#define SABOT_CONTROLLER_API_RATE_H_

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"

namespace sabot::api {

// Bits per second of a rate as `rate.rate` and `bandwidth.rate` have it: an unsigned decimal number, perhaps
// a space, and a unit in any case. bit, kbit, mbit, gbit, tbit count bits by powers of 1000; bps, kbps, ...
// count *bytes*, by powers of 1024, as upstream has it. InvalidArgument (`invalid unit`, or strconv's text
// for the number), OutOfRange beyond 2^64 bit/s. Pure.
absl::StatusOr<uint64_t> ParseRate(std::string_view text);

}  // namespace sabot::api

#endif  // SABOT_CONTROLLER_API_RATE_H_
