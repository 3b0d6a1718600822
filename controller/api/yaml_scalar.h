// SPDX-License-Identifier: Apache-2.0
#ifndef SABOT_CONTROLLER_API_YAML_SCALAR_H_
#define SABOT_CONTROLLER_API_YAML_SCALAR_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "controller/api/yaml.h"

namespace sabot::api {

// The type of a scalar that is written without quotes and without a tag. Pure.
YamlNode::Kind PlainScalarKind(std::string_view text);

// The value of an integer scalar (decimal, 0x, 0o, 0b, leading 0 for octal, underscores), if 64 bits hold it.
std::optional<int64_t> YamlInt(std::string_view text);

// The value of a boolean scalar.
std::optional<bool> YamlBool(std::string_view text);

}  // namespace sabot::api

#endif  // SABOT_CONTROLLER_API_YAML_SCALAR_H_
