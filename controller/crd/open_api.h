// SPDX-License-Identifier: Apache-2.0
//
// Rows of a table → an OpenAPI schema as CRDs have it. Pure.
#ifndef SABOT_CONTROLLER_CRD_OPEN_API_H_
#define SABOT_CONTROLLER_CRD_OPEN_API_H_

#include <nlohmann/json.hpp>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "controller/crd/schema.h"

namespace sabot::crd {

enum class Detail {
  kFull,
  // As part of another kind: without CEL rules, whose cost the API server bounds per CRD, and without the
  // manual, which stands with the kind itself.
  kEmbedded,
};

// An object with these fields.
absl::StatusOr<nlohmann::json> MakeObject(absl::Span<const Field> fields, absl::Span<const Rule> rules,
                                          Detail detail);

}  // namespace sabot::crd

#endif  // SABOT_CONTROLLER_CRD_OPEN_API_H_
