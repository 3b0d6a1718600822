// SPDX-License-Identifier: Apache-2.0
#include "controller/api/validation.h"

#include <algorithm>
#include <cmath>

#include "controller/api/go_duration.h"
#include "controller/api/go_number.h"
#include "controller/api/names.h"
#include "controller/api/rate.h"
#include "controller/api/str_cat.h"

namespace sabot::api {
namespace {

std::string Invalid(std::string_view value, std::string_view reason) {
  return StrCat("Invalid value: ", Quoted(value), ": ", reason);
}

void ValidateLabels(const Validation& to, const std::string& path, const StringMap& labels) {
  for (const auto& [key, value] : labels) {
    if (!IsLabelKey(key)) to.Warning(path, StrCat(Quoted(key), " is no label key; no pod can be selected"));
    if (!IsLabelValue(value)) {
      to.Warning(path, StrCat(Quoted(value), " is no label value; no pod can be selected"));
    }
  }
}

void ValidateRequirement(const Validation& to, const std::string& path, const LabelRequirement& requirement) {
  constexpr std::string_view kOperators[] = {"In", "NotIn", "Exists", "DoesNotExist"};
  if (!IsLabelKey(requirement.key)) {
    to.Warning(path + ".key", StrCat(Quoted(requirement.key), " is no label key; the selection will fail"));
  }
  if (std::find(std::begin(kOperators), std::end(kOperators), requirement.op) == std::end(kOperators)) {
    to.Warning(path + ".operator",
               StrCat(Quoted(requirement.op), " is not a valid label selector operator; known: In, NotIn, ",
                      "Exists, DoesNotExist; the selection will fail"));
  }
}

void ValidatePhase(const Validation& to, const std::string& path, std::string_view phase) {
  constexpr std::string_view kPhases[] = {"Pending", "Running", "Succeeded", "Failed", "Unknown"};
  const std::string_view name = phase.substr(phase.starts_with('!') ? 1 : 0);
  if (std::find(std::begin(kPhases), std::end(kPhases), name) != std::end(kPhases)) return;
  to.Warning(path, StrCat(Quoted(phase),
                          " is no phase of a pod; known: Pending, Running, Succeeded, Failed, ", "Unknown"));
}

void ValidateSelectorSpec(const Validation& to, const std::string& path, const PodSelectorSpec& selector) {
  ValidateLabels(to, path + ".labelSelectors", selector.label_selectors);
  ValidateLabels(to, path + ".nodeSelectors", selector.node_selectors);
  for (size_t i = 0; i < selector.expression_selectors.size(); ++i) {
    ValidateRequirement(to, StrCat(path, ".expressionSelectors[", i, "]"), selector.expression_selectors[i]);
  }
  for (size_t i = 0; i < selector.pod_phase_selectors.size(); ++i) {
    ValidatePhase(to, StrCat(path, ".podPhaseSelectors[", i, "]"), selector.pod_phase_selectors[i]);
  }
  for (size_t i = 0; i < selector.namespaces.size(); ++i) {
    if (IsDnsLabel(selector.namespaces[i])) continue;
    to.Warning(StrCat(path, ".namespaces[", i, "]"),
               StrCat(Quoted(selector.namespaces[i]), " is no name of a namespace"));
  }
}

// `value` of the modes that need it.
void ValidateModeValue(const Validation& to, const std::string& path, const PodSelector& selector) {
  if (selector.mode == Mode::kOne || selector.mode == Mode::kAll) return;
  const absl::StatusOr<int64_t> value = ParseGoInt(selector.value);
  if (!value.ok()) {
    to.Error(path, Invalid(selector.value, StrCat("parse value field error:", value.status().message())));
    return;
  }
  if (selector.mode == Mode::kFixed) {
    if (*value <= 0) to.Error(path, Invalid(selector.value, "value must be greater than 0 with mode:fixed"));
  } else if (*value <= 0 || *value > 100) {
    to.Error(path, Invalid(selector.value,
                           StrCat("value of ", *value,
                                  " is invalid, Must be (0,100] with mode:", ModeName(selector.mode))));
  }
}

}  // namespace

std::string_view ModeName(Mode mode) {
  constexpr std::string_view kNames[] = {"one", "all", "fixed", "fixed-percent", "random-max-percent"};
  return kNames[static_cast<int>(mode)];
}

void ValidateDuration(const Validation& to, std::string_view path, std::string_view text) {
  if (text.empty()) return;
  const absl::StatusOr<absl::Duration> duration = ParseGoDuration(text);
  if (!duration.ok()) {
    to.Error(path, Invalid(text, StrCat("parse duration field error: ", duration.status().message())));
  } else if (*duration < absl::ZeroDuration()) {
    to.Warning(path, StrCat(Quoted(text), " is negative"));
  }
}

void ValidatePercentString(const Validation& to, std::string_view path, std::string_view text) {
  const absl::StatusOr<double> number = ParseGoFloat32(text);
  if (!number.ok()) {
    // Upstream says "correlation" whatever the field is.
    to.Error(path, Invalid(text, StrCat("parse correlation field error:", number.status().message())));
  } else if (!(*number >= 0 && *number <= 100)) {
    to.Warning(path, StrCat(Quoted(text), " is no percentage from 0 to 100"));
  }
}

void ValidateRate(const Validation& to, std::string_view path, std::string_view text) {
  const absl::StatusOr<uint64_t> rate = ParseRate(text);
  if (rate.ok()) return;
  to.Error(path, Invalid(text, StrCat("parse rate field error:", rate.status().message())));
}

void ValidatePodSelector(const Validation& to, std::string_view path, const PodSelector& selector) {
  ValidateModeValue(to, StrCat(path, ".value"), selector);
  ValidateSelectorSpec(to, StrCat(path, ".selector"), selector.selector);
}

}  // namespace sabot::api
