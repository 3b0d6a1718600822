// SPDX-License-Identifier: Apache-2.0
#include <sys/utsname.h>

#include <iostream>

#include "absl/strings/str_cat.h"
#include "agent/ladder.h"
#include "loader/probe.h"
#include "tools/sabot/commands.h"

namespace sabot::cli {
namespace {

nlohmann::json FeaturesJson(const loader::Features& features) {
  nlohmann::json all = nlohmann::json::array();
  for (const loader::FeatureInfo& info : loader::AllFeatures()) {
    const loader::Finding& finding = features.Get(info.feature);
    all.push_back({{"name", std::string(info.name)},
                   {"purpose", std::string(info.purpose)},
                   {"answer", std::string(loader::AnswerName(finding.answer))},
                   {"reason", finding.reason}});
  }
  return all;
}

nlohmann::json LadderJson(const agent::Effect& effect, const loader::Features& features) {
  nlohmann::json rungs = nlohmann::json::array();
  for (const agent::Rung& rung : effect.ladder) {
    const auto missing = agent::MissingFeature(rung, features);
    rungs.push_back({{"mechanism", std::string(rung.mechanism)},
                     {"usable", !missing},
                     {"why", missing ? *missing : "this kernel has all that it needs"},
                     {"fidelity", rung.fidelity == sabot::v1::FIDELITY_EXACT ? "exact" : "degraded"},
                     {"caveat", std::string(rung.caveat)},
                     {"undoneBy", std::string(rung.undone_by)}});
  }
  return rungs;
}

nlohmann::json LaddersJson(const loader::Features& features) {
  nlohmann::json ladders = nlohmann::json::array();
  for (const agent::FaultType* type : agent::AllFaultTypes()) {
    for (const agent::Effect& effect : type->effects) {
      ladders.push_back({{"fault", std::string(type->family)},
                         {"effect", std::string(effect.name)},
                         {"description", std::string(effect.description)},
                         {"rungs", LadderJson(effect, features)}});
    }
  }
  return ladders;
}

std::string Kernel() {
  utsname name{};
  uname(&name);
  return absl::StrCat(name.release, " ", name.machine);
}

void PrintTables(const nlohmann::json& report) {
  std::vector<std::vector<std::string>> features = {{"FEATURE", "ANSWER", "REASON"}};
  for (const auto& feature : report["features"]) {
    features.push_back({feature["name"], feature["answer"], feature["reason"]});
  }
  std::vector<std::vector<std::string>> rungs = {{"FAULT", "RUNG", "USABLE", "FIDELITY", "WHY"}};
  for (const auto& ladder : report["ladders"]) {
    std::string fault =
        absl::StrCat(ladder["fault"].get<std::string>(), "/", ladder["effect"].get<std::string>());
    for (const auto& rung : ladder["rungs"]) {
      rungs.push_back(
          {fault, rung["mechanism"], rung["usable"] ? "yes" : "no", rung["fidelity"], rung["why"]});
      fault.clear();
    }
  }
  std::cout << "kernel " << report["kernel"].get<std::string>() << "\n\n"
            << Table(features) << "\nThe first usable rung of a fault is taken:\n\n"
            << Table(rungs);
}

}  // namespace

int Doctor(const std::vector<std::string>& no_features, Format format) {
  auto features = loader::Features::Probe({.disabled = no_features, .btf_path = ""});
  if (!features.ok()) {
    PrintError(features.status());
    return kExitBadInput;
  }
  const nlohmann::json report = {
      {"kernel", Kernel()}, {"features", FeaturesJson(*features)}, {"ladders", LaddersJson(*features)}};
  if (format == Format::kTable) {
    PrintTables(report);
  } else {
    std::cout << Render(report, format);
  }
  return kExitOk;
}

}  // namespace sabot::cli
