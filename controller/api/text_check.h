// SPDX-License-Identifier: Apache-2.0
#ifndef SABOT_CONTROLLER_API_TEXT_CHECK_H_
#define SABOT_CONTROLLER_API_TEXT_CHECK_H_

#include <optional>
#include <string>
#include <string_view>

#include "controller/api/problem.h"

namespace sabot::api {

struct NonText {
  Position at;  // column in bytes
  std::string message;
};

// The first byte that has no place in a YAML file: a control character other than tab and line ends, or what
// is no UTF-8. Nothing when it is text. Pure; linear.
std::optional<NonText> FindNonText(std::string_view content);

}  // namespace sabot::api

#endif  // SABOT_CONTROLLER_API_TEXT_CHECK_H_
