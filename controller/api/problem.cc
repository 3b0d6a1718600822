// SPDX-License-Identifier: Apache-2.0
#include "controller/api/problem.h"
#include "controller/api/str_cat.h"

#include <algorithm>

namespace sabot::api {

std::string ToString(const Problem& problem) {
  std::string text = problem.file;
  if (problem.line > 0) StrAppend(text, text.empty() ? "line " : ":", problem.line);
  if (!text.empty()) text += ": ";
  if (problem.severity == Severity::kWarning) text += "warning: ";
  if (!problem.field.empty()) StrAppend(text, problem.field, ": ");
  return text + problem.message;
}

bool HasErrors(absl::Span<const Problem> problems) {
  return std::any_of(problems.begin(), problems.end(),
                     [](const Problem& problem) { return problem.severity == Severity::kError; });
}

}  // namespace sabot::api
