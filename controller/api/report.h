// SPDX-License-Identifier: Apache-2.0
//
// Collects the problems of one file while it is read. One thread.
#ifndef SABOT_CONTROLLER_API_REPORT_H_
#define SABOT_CONTROLLER_API_REPORT_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "controller/api/problem.h"

namespace sabot::api {

class Report {
 public:
  // A file with more problems than this is no manifest; what comes after them is not kept.
  static constexpr size_t kMaxProblems = 1000;

  explicit Report(std::string_view file) : file_(file) {}

  // A field of an object that has an error already gets no second one: the first names the cause.
  void Error(Position at, std::string_view field, std::string_view message);
  void Warning(Position at, std::string_view field, std::string_view message);

  // What follows is about another object. `prefix` is put in front of its fields: "items[2]." within a list.
  void BeginObject(std::string_view prefix);

  // No more problems are kept; readers may stop.
  bool full() const { return problems_.size() >= kMaxProblems; }
  // Grows with each error, kept or not.
  size_t errors() const { return errors_; }
  const std::string& file() const { return file_; }

  // The problems by line, those of one line in the order in which they were found. Leaves the report empty.
  std::vector<Problem> Take();

 private:
  void Add(Severity severity, Position at, std::string_view field, std::string_view message);

  std::string file_;
  std::string prefix_;
  std::vector<Problem> problems_;
  absl::flat_hash_set<std::string> fields_with_errors_;
  size_t errors_ = 0;
};

// `text`, cut when it is longer than a message should be.
std::string BoundedText(std::string_view text);

// `text` in double quotes for a message: control bytes escaped, cut when it is long.
std::string Quoted(std::string_view text);

}  // namespace sabot::api

#endif  // SABOT_CONTROLLER_API_REPORT_H_
