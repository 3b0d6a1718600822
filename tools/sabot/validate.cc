// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "absl/strings/str_cat.h"
#include "controller/api/manifest.h"
#include "tools/sabot/commands.h"

namespace sabot::cli {
namespace {

nlohmann::json ToJson(const api::Problem& problem) {
  return {{"severity", problem.severity == api::Severity::kError ? "error" : "warning"},
          {"file", problem.file},
          {"line", problem.line},
          {"column", problem.column},
          {"field", problem.field},
          {"message", problem.message}};
}

}  // namespace

int Validate(const std::vector<std::string>& files, Format format) {
  bool ok = true;
  nlohmann::json results = nlohmann::json::array();
  for (const std::string& file : files) {
    const api::Manifests manifests = api::LoadManifests(file);
    ok &= manifests.ok();
    if (format == Format::kTable) {
      PrintProblems(manifests.problems);
      if (manifests.ok()) std::cout << file << ": " << manifests.experiments.size() << " experiment(s), valid\n";
      continue;
    }
    nlohmann::json problems = nlohmann::json::array();
    for (const api::Problem& problem : manifests.problems) problems.push_back(ToJson(problem));
    results.push_back({{"file", file},
                       {"valid", manifests.ok()},
                       {"experiments", manifests.experiments.size()},
                       {"problems", problems}});
  }
  if (format != Format::kTable) std::cout << Render({{"files", results}}, format);
  return ok ? kExitOk : kExitBadInput;
}

}  // namespace sabot::cli
