// SPDX-License-Identifier: Apache-2.0
#include "controller/api/source.h"
#include "controller/api/report.h"
#include "controller/api/str_cat.h"

namespace sabot::api {

Position Source::Find(std::string_view field) const {
  while (!field.empty()) {
    if (auto it = fields.find(field); it != fields.end()) return it->second;
    const size_t end = field.find_last_of(".[");
    field = field.substr(0, end == std::string_view::npos ? 0 : end);
  }
  return start;
}

Problem Source::MakeProblem(Severity severity, std::string_view field, std::string_view message) const {
  const Position at = Find(field);
  // A path of the object as a whole is its prefix without the dot.
  std::string path = StrCat(prefix, field);
  if (field.empty() && !path.empty()) path.pop_back();
  return {severity, file, at.line, at.column, BoundedText(path), BoundedText(message)};
}

}  // namespace sabot::api
