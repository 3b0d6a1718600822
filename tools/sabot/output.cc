// SPDX-License-Identifier: Apache-2.0
#include "tools/sabot/output.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdio>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace sabot::cli {

using sabot::v1::FaultStatus;

std::string PhaseName(sabot::v1::FaultPhase phase) {
  std::string name = sabot::v1::FaultPhase_Name(phase);
  std::transform(name.begin() + 1, name.end(), name.begin() + 1,
                 [](unsigned char c) { return std::tolower(c); });
  return name;
}

nlohmann::json ToJson(const FaultStatus& fault) {
  nlohmann::json rejected = nlohmann::json::array();
  for (const auto& rung : fault.rejected()) {
    rejected.push_back({{"mechanism", rung.mechanism()}, {"reason", rung.reason()}});
  }
  nlohmann::json json = {
      {"id", fault.id()},
      {"experiment", absl::StrCat(fault.experiment().namespace_(), "/", fault.experiment().name())},
      {"kind", fault.kind()},
      {"target", fault.target()},
      {"mechanism", fault.mechanism()},
      {"phase", PhaseName(fault.phase())},
      {"message", fault.message()},
      {"seen", fault.counters().seen()},
      {"matched", fault.counters().matched()},
      {"affected", fault.counters().affected()},
      {"rejected", rejected},
  };
  if (fault.has_deadline()) json["expiresInMs"] = fault.expires_in_ms();
  return json;
}

std::string Table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i)
      absl::StrAppendFormat(&line, "%-*s  ", static_cast<int>(widths[i]), row[i]);
    line.erase(line.find_last_not_of(' ') + 1);
    absl::StrAppend(&text, line, "\n");
  }
  return text;
}

std::string FaultTable(std::span<const FaultStatus> faults) {
  std::vector<std::vector<std::string>> rows = {
      {"EXPERIMENT", "TARGET", "FAULT", "MECHANISM", "PHASE", "SEEN", "MATCHED", "AFFECTED", "LEFT"}};
  for (const FaultStatus& fault : faults) {
    rows.push_back({absl::StrCat(fault.experiment().namespace_(), "/", fault.experiment().name()),
                    fault.target(), fault.kind(), fault.mechanism().empty() ? "-" : fault.mechanism(),
                    PhaseName(fault.phase()), absl::StrCat(fault.counters().seen()),
                    absl::StrCat(fault.counters().matched()), absl::StrCat(fault.counters().affected()),
                    fault.expires_in_ms() > 0 ? ShortDuration(fault.expires_in_ms()) : "-"});
  }
  std::string text = Table(rows);
  for (const FaultStatus& fault : faults) {
    if (!fault.message().empty())
      absl::StrAppend(&text, fault.target(), " ", fault.kind(), ": ", fault.message(), "\n");
  }
  return text;
}

std::string Render(const nlohmann::json& value, Format format) {
  if (format == Format::kJson) return value.dump(2) + "\n";
  // What was read from JSON would keep its flow style; block style reads better.
  YAML::Node node = YAML::Load(value.dump());
  const auto block = [](auto& self, YAML::Node part) -> void {
    part.SetStyle(YAML::EmitterStyle::Block);
    for (auto child : part) self(self, part.IsMap() ? child.second : child);
  };
  block(block, node);
  YAML::Emitter pretty;
  pretty << node;
  return absl::StrCat(pretty.c_str(), "\n");
}

std::string ShortDuration(uint64_t ms) {
  if (ms < 1000) return absl::StrCat(ms, "ms");
  if (ms < 60'000) return absl::StrFormat("%.1fs", static_cast<double>(ms) / 1000);
  const uint64_t seconds = ms / 1000;
  if (seconds < 3600) return absl::StrFormat("%dm%02ds", seconds / 60, seconds % 60);
  return absl::StrFormat("%dh%02dm", seconds / 3600, seconds / 60 % 60);
}

void PrintProblems(const std::vector<api::Problem>& problems) {
  for (const api::Problem& problem : problems) std::cerr << api::ToString(problem) << "\n";
}

void PrintError(const std::string& message) { std::cerr << "sabot: " << message << "\n"; }

void PrintError(const absl::Status& status) { PrintError(std::string(status.message())); }

}  // namespace sabot::cli
