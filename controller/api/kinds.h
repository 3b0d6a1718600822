// SPDX-License-Identifier: Apache-2.0
//
// The kinds of custom resources: which there are, and how those that this version carries out are read.
#ifndef SABOT_CONTROLLER_API_KINDS_H_
#define SABOT_CONTROLLER_API_KINDS_H_

#include <string_view>

#include "absl/types/span.h"
#include "controller/api/decoder.h"
#include "controller/api/experiment.h"

namespace sabot::api {

// Decodes, defaults and validates `spec` of an object whose metadata is in `experiment` already.
using DecodeSpec = void (*)(ObjectDecoder& spec, Experiment& experiment);

struct Kind {
  std::string_view api_version;
  std::string_view name;
  DecodeSpec decode;  // null: the kind exists and this version does not carry it out
};

// Every kind of the groups that Sabot speaks.
absl::Span<const Kind> AllKinds();

// One per kind, in the file of the kind.
void DecodeNetworkChaos(ObjectDecoder& spec, Experiment& experiment);
void DecodeTimeChaos(ObjectDecoder& spec, Experiment& experiment);
void DecodeSyscallChaos(ObjectDecoder& spec, Experiment& experiment);

}  // namespace sabot::api

#endif  // SABOT_CONTROLLER_API_KINDS_H_
