// SPDX-License-Identifier: Apache-2.0
#include "controller/crd/schema.h"

#include <algorithm>
#include <vector>

namespace sabot::crd {
namespace {

std::vector<Kind> Collect() {
  std::vector<Kind> kinds;
  for (absl::Span<const Kind> family : {kPodKinds, kCloudKinds, kMachineKinds, kOrchestrationKinds}) {
    kinds.insert(kinds.end(), family.begin(), family.end());
  }
  std::sort(kinds.begin(), kinds.end(), [](const Kind& a, const Kind& b) { return a.plural < b.plural; });
  return kinds;
}

}  // namespace

absl::Span<const Kind> AllKinds() {
  static const std::vector<Kind>& kinds = *new std::vector<Kind>(Collect());
  return kinds;
}

const Kind* FindKind(std::string_view name) {
  for (const Kind& kind : AllKinds()) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

}  // namespace sabot::crd
