// SPDX-License-Identifier: Apache-2.0
//
// Fields that all kinds, or several of them, have: YAML → types, with defaults.
#ifndef SABOT_CONTROLLER_API_DECODE_H_
#define SABOT_CONTROLLER_API_DECODE_H_

#include <functional>
#include <string_view>

#include "controller/api/decoder.h"
#include "controller/api/metadata.h"
#include "controller/api/sabot_options.h"
#include "controller/api/selector.h"

namespace sabot::api {

// The field `metadata` of `object`. `generated_suffix` completes a generateName.
ObjectMeta DecodeMetadata(ObjectDecoder& object, std::string_view generated_suffix);

// The fields `selector`, `mode` and `value` of `object`. Without namespaces the selector gets
// `own_namespace`.
PodSelector DecodePodSelector(ObjectDecoder& object, const std::string& own_namespace);

// The field `sabot` of `spec`. `more` reads what it holds for one kind only.
SabotOptions DecodeSabotOptions(ObjectDecoder& spec,
                                const std::function<void(ObjectDecoder& sabot)>& more = nullptr);

}  // namespace sabot::api

#endif  // SABOT_CONTROLLER_API_DECODE_H_
