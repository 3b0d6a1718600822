// SPDX-License-Identifier: Apache-2.0
#include "tests/host/report.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "absl/strings/strip.h"
#include "tests/host/clock_conformance.h"
#include "tests/host/property.h"

namespace sabot::test {
namespace {

constexpr const char* kSnapshot = "snapshot";

std::string SkipReason(const testing::TestResult& result) {
  for (int i = 0; i < result.total_part_count(); ++i) {
    const auto& part = result.GetTestPartResult(i);
    if (part.skipped()) return std::string(absl::StripPrefix(part.message(), "Skipped\n"));
  }
  return "no reason given";
}

std::vector<std::string> Columns() {
  std::vector<std::string> columns;
  for (const Property& property : Properties()) columns.emplace_back(property.column);
  for (const ClockProperty& property : ClockProperties()) {
    if (std::find(columns.begin(), columns.end(), property.column) == columns.end()) {
      columns.emplace_back(property.column);
    }
  }
  columns.emplace_back(kSnapshot);
  return columns;
}

}  // namespace

Report& Report::Get() {
  static Report report;
  return report;
}

void Report::NoteSnapshot(const std::string& row, bool equal) {
  std::string& cell = cells_[row][kSnapshot];
  if (cell != "FAIL") cell = equal ? "ok" : "FAIL";
}

void Report::Note(const std::string& row, const std::string& column, const testing::TestResult& result) {
  std::string& cell = cells_[row][column];
  if (result.Failed()) {
    cell = "FAIL";
    ++failed_;
  } else if (result.Skipped()) {
    cell = "skip";
    ++skipped_;
    skip_reasons_[row].insert(SkipReason(result));
  } else {
    cell = "ok";
    ++passed_;
  }
}

void Report::Print() const {
  std::printf("\nConformance: effect.rung by property\n%-20s", "");
  for (const std::string& column : Columns())
    std::printf(" %*s", std::max<int>(4, int(column.size())), column.c_str());
  std::printf("\n");
  for (const auto& [row, cells] : cells_) {
    std::printf("%-20s", row.c_str());
    for (const std::string& column : Columns()) {
      auto cell = cells.find(column);
      std::printf(" %*s", std::max<int>(4, int(column.size())),
                  cell == cells.end() ? "-" : cell->second.c_str());
    }
    std::printf("\n");
  }
  for (const auto& [row, reasons] : skip_reasons_) {
    for (const std::string& reason : reasons) std::printf("%s skip: %s\n", row.c_str(), reason.c_str());
  }
  std::printf("%d passed, %d failed, %d skipped\n", passed_, failed_, skipped_);
}

}  // namespace sabot::test
