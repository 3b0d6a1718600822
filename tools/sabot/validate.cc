// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "controller/api/go_duration.h"
#include "controller/api/manifest.h"
#include "controller/plan/plan.h"
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

// What is admitted and yet refused by `sabot run`.
void WarnOfShortDurations(const std::string& file, api::Manifests& manifests) {
  for (const api::Experiment& experiment : manifests.experiments) {
    const std::string text = std::visit([](const auto& spec) { return spec.duration; }, experiment.spec);
    const auto duration = api::ParseGoDuration(text);
    if (text.empty() || !duration.ok() || *duration >= plan::PlanOptions().minimum_duration) continue;
    api::Problem warning;
    warning.severity = api::Severity::kWarning;
    warning.file = file;
    warning.field = "spec.duration";
    warning.message = absl::StrCat(experiment.metadata.name, ": ", text,
                                   " is below one second: admitted in a cluster, refused by `sabot run`");
    manifests.problems.push_back(std::move(warning));
  }
}

}  // namespace

int Validate(const std::vector<std::string>& files, Format format) {
  bool ok = true;
  nlohmann::json results = nlohmann::json::array();
  for (const std::string& file : files) {
    api::Manifests manifests = api::LoadManifests(file);
    WarnOfShortDurations(file, manifests);
    ok &= manifests.ok();
    if (format == Format::kTable) {
      PrintProblems(manifests.problems);
      if (manifests.ok())
        std::cout << file << ": " << manifests.experiments.size() << " experiment(s), valid\n";
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
