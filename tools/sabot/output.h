// SPDX-License-Identifier: Apache-2.0
//
// How results are shown: tables for people, JSON for scripts.
#ifndef SABOT_TOOLS_SABOT_OUTPUT_H_
#define SABOT_TOOLS_SABOT_OUTPUT_H_

#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "controller/api/problem.h"
#include "nlohmann/json.hpp"
#include "sabot/v1/fault.pb.h"

namespace sabot::cli {

// What scripts may rely on.
enum ExitCode {
  kExitOk = 0,
  kExitFailed = 1,    // something that was asked for did not happen, or could not be undone
  kExitBadInput = 2,  // nothing was touched
};

enum class Format { kTable, kJson, kYaml };

// "Injected", "Recovered"...
std::string PhaseName(sabot::v1::FaultPhase phase);

// The object that every JSON output uses for a fault: id, experiment, kind, target, mechanism, phase,
// message, seen, matched, affected, and more.
nlohmann::json ToJson(const sabot::v1::FaultStatus& fault);

// Columns padded to their widest cell, two blanks between; the first row is the header.
std::string Table(const std::vector<std::vector<std::string>>& rows);

// The faults as a table with counters and time left.
std::string FaultTable(std::span<const sabot::v1::FaultStatus> faults);

// JSON, or the same as YAML.
std::string Render(const nlohmann::json& value, Format format);

// "1m12s", "4.2s", "350ms".
std::string ShortDuration(uint64_t ms);

// To standard error, one line each.
void PrintProblems(const std::vector<api::Problem>& problems);
// "sabot: MESSAGE" to standard error.
void PrintError(const std::string& message);
void PrintError(const absl::Status& status);

}  // namespace sabot::cli

#endif  // SABOT_TOOLS_SABOT_OUTPUT_H_
