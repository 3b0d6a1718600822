// SPDX-License-Identifier: Apache-2.0
//
// Numbers that custom resources keep in strings, read as Go's strconv reads them. Pure functions.
#ifndef SABOT_CONTROLLER_API_GO_NUMBER_H_
#define SABOT_CONTROLLER_API_GO_NUMBER_H_

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"

namespace sabot::api {

// FloatStr (loss, correlation, ...): what strconv.ParseFloat(text, 32) accepts, which includes "NaN", "-1",
// "1e3", "0x1p-2" and "1_000" where Go's syntax has it. The value keeps double precision. InvalidArgument:
// `strconv.ParseFloat: parsing "x": invalid syntax`; OutOfRange: `... value out of range`.
absl::StatusOr<double> ParseGoFloat32(std::string_view text);

// strconv.Atoi: a sign and decimal digits, 64 bits. Errors as above, naming strconv.Atoi.
absl::StatusOr<int64_t> ParseGoInt(std::string_view text);

}  // namespace sabot::api

#endif  // SABOT_CONTROLLER_API_GO_NUMBER_H_
