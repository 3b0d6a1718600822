// SPDX-License-Identifier: Apache-2.0
//
// Tables → CustomResourceDefinitions (apiextensions.k8s.io/v1). Pure.
#ifndef SABOT_CONTROLLER_CRD_CRD_H_
#define SABOT_CONTROLLER_CRD_CRD_H_

#include <string>

#include <nlohmann/json.hpp>

#include "absl/status/statusor.h"
#include "controller/crd/schema.h"

namespace sabot::crd {

// The CustomResourceDefinition of a kind. An error names the row of the table that makes no sense.
absl::StatusOr<nlohmann::json> MakeCrd(const Kind& kind);

// `value` as a YAML document that a person can read, with keys in order and a newline at the end.
std::string ToYaml(const nlohmann::json& value);

}  // namespace sabot::crd

#endif  // SABOT_CONTROLLER_CRD_CRD_H_
