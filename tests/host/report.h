// SPDX-License-Identifier: Apache-2.0
//
// The conformance table, filled while the tests run and printed at the end.
#ifndef SABOT_TESTS_HOST_REPORT_H_
#define SABOT_TESTS_HOST_REPORT_H_

#include <map>
#include <set>
#include <string>

#include "gtest/gtest.h"

namespace sabot::test {

class Report {
 public:
  static Report& Get();

  void NoteSnapshot(const std::string& row, bool equal);
  void Note(const std::string& row, const std::string& column, const testing::TestResult& result);
  // Rows effect.rung, columns properties; cells ok, FAIL, skip, or - where the property does not apply. Below
  // it the reason of every skip.
  void Print() const;
  // Whether any test ran to its end and passed: a run that only skipped has shown nothing.
  bool AnythingPassed() const { return passed_ > 0; }

 private:
  std::map<std::string, std::map<std::string, std::string>> cells_;
  std::map<std::string, std::set<std::string>> skip_reasons_;  // row -> reasons
  int passed_ = 0, failed_ = 0, skipped_ = 0;
};

}  // namespace sabot::test

#endif  // SABOT_TESTS_HOST_REPORT_H_
