// SPDX-License-Identifier: Apache-2.0
#include "controller/api/report.h"
#include "controller/api/str_cat.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"

namespace sabot::api {
namespace {

constexpr size_t kMaxText = 1024;
constexpr size_t kMaxQuoted = 100;

// The first `limit` bytes, or less in order not to cut a character in two.
std::string_view Head(std::string_view text, size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
  return text.substr(0, limit);
}

}  // namespace

void Report::BeginObject(std::string_view prefix) {
  prefix_ = prefix;
  fields_with_errors_.clear();
}

void Report::Error(Position at, std::string_view field, std::string_view message) {
  ++errors_;
  Add(Severity::kError, at, field, message);
}

void Report::Warning(Position at, std::string_view field, std::string_view message) {
  Add(Severity::kWarning, at, field, message);
}

void Report::Add(Severity severity, Position at, std::string_view field, std::string_view message) {
  if (full()) return;
  if (severity == Severity::kError && !field.empty()) {
    if (!fields_with_errors_.insert(std::string(field)).second) return;
  }
  std::string path = StrCat(prefix_, field);
  if (field.empty() && !path.empty()) path.pop_back();  // the dot
  problems_.push_back({severity, file_, at.line, at.column, BoundedText(path), BoundedText(message)});
}

std::vector<Problem> Report::Take() {
  const bool was_full = full();
  std::stable_sort(problems_.begin(), problems_.end(),
                   [](const Problem& a, const Problem& b) { return a.line < b.line; });
  // A full report may have dropped errors and kept warnings only: the note is an error.
  if (was_full)
    problems_.push_back({Severity::kError, file_, 0, 0, "", "too many problems; there may be more"});
  fields_with_errors_.clear();
  errors_ = 0;
  return std::exchange(problems_, {});
}

std::string BoundedText(std::string_view text) {
  const std::string_view head = Head(text, kMaxText);
  return head.size() == text.size() ? std::string(text) : StrCat(head, "...");
}

std::string Quoted(std::string_view text) {
  const std::string_view head = Head(text, kMaxQuoted);
  return StrCat("\"", absl::Utf8SafeCEscape(absl::string_view(head.data(), head.size())),
                head.size() == text.size() ? "" : "...", "\"");
}

}  // namespace sabot::api
