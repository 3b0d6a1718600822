// SPDX-License-Identifier: Apache-2.0
#ifndef SABOT_CONTROLLER_API_NEAR_NAME_H_
#define SABOT_CONTROLLER_API_NEAR_NAME_H_

#include <string_view>

#include "absl/types/span.h"

namespace sabot::api {

// The name that `text` is most likely a misspelling of: the same but for case, or at most two letters away
// (one for short names). Empty when there is none. Pure; the cost is bounded whatever the length of `text`.
std::string_view NearestName(std::string_view text, absl::Span<const std::string_view> names);

}  // namespace sabot::api

#endif  // SABOT_CONTROLLER_API_NEAR_NAME_H_
