// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/ladder.h"
#include "agent/target.h"
#include "tools/sabot/commands.h"
#include "tools/sabot/local_inventory.h"

namespace sabot::cli {
namespace {

using agent::LadderRequest;
using agent::RejectedRung;

// What one fault would be done by, and what of the machine it would touch.
nlohmann::json Choice(const sabot::v1::Fault& fault, const agent::ContainerLookup& containers,
                      const agent::ForcedMechanisms& forced, const loader::Features& features,
                      size_t at_once) {
  const agent::FaultType& type = *agent::FindFaultType(fault.kind_case());
  const agent::Effect& effect = type.effect_of(fault);
  const auto target = agent::ResolveTarget(fault.target(), containers);
  nlohmann::json json = {{"id", fault.id()},
                         {"experiment", fault.experiment().namespace_() + "/" + fault.experiment().name()},
                         {"target", fault.target().name()},
                         {"kind", absl::StrCat(std::string(type.family), "/", std::string(effect.name))},
                         {"expiresInMs", fault.expires_in_ms()}};
  if (!target.ok()) {
    json["mechanism"] = "";
    json["why"] = std::string(target.status().message());
    return json;
  }
  const LadderRequest request = {
      .type = type,
      .effect = effect,
      .policy = fault.mechanism(),
      .forced = forced,
      .features = features,
      .unfit = [&](const agent::Rung& rung) { return type.unfit(rung, fault, **target); },
      .at_once = at_once,
  };
  std::vector<RejectedRung> rejected;
  const agent::Rung* rung = agent::RungChoice(request).Next(rejected);
  json["touches"] = (*target)->netns != nullptr && !(*target)->host_network
                        ? absl::StrCat((*target)->description, ", ", (*target)->netns->Describe())
                        : (*target)->description;
  json["mechanism"] = rung != nullptr ? std::string(rung->mechanism) : "";
  json["caveat"] = rung != nullptr ? std::string(rung->caveat) : "";
  json["undoneBy"] = rung != nullptr ? std::string(rung->undone_by) : "";
  json["rejected"] = nlohmann::json::array();
  for (const RejectedRung& no : rejected) {
    json["rejected"].push_back({{"mechanism", no.mechanism}, {"reason", no.reason}});
  }
  return json;
}

void Print(const nlohmann::json& report) {
  for (const auto& record : report["records"]) {
    std::cout << record["experiment"].get<std::string>() << " selects " << record["id"].get<std::string>()
              << " (" << record["selectorKey"].get<std::string>() << ")"
              << (record["message"].get<std::string>().empty() ? ""
                                                               : ": " + record["message"].get<std::string>())
              << "\n";
  }
  for (const auto& fault : report["faults"]) {
    const std::string mechanism = fault["mechanism"];
    std::cout << "\n"
              << fault["kind"].get<std::string>() << " on " << fault["target"].get<std::string>() << ": "
              << (mechanism.empty() ? "NO MECHANISM" : "by " + mechanism) << "\n";
    for (const char* key : {"why", "touches", "caveat", "undoneBy"}) {
      const std::string text = fault.value(key, "");
      if (!text.empty()) std::cout << "  " << key << ": " << text << "\n";
    }
    for (const auto& no : fault.value("rejected", nlohmann::json::array())) {
      std::cout << "  not " << no["mechanism"].get<std::string>() << ": " << no["reason"].get<std::string>()
                << "\n";
    }
  }
}

}  // namespace

int Plan(const ExperimentOptions& options) {
  agent::ForcedMechanisms forced;
  for (const std::string& mechanism : options.mechanisms) {
    if (absl::Status added = agent::AddForcedMechanism(mechanism, forced); !added.ok()) {
      PrintError(added);
      return kExitBadInput;
    }
  }
  const auto features = loader::Features::Probe({.disabled = options.no_features, .btf_path = ""});
  if (!features.ok()) {
    PrintError(features.status());
    return kExitBadInput;
  }
  const agent::ContainerLookup containers = agent::CriLookup(options.cri_sockets);
  const LocalPlan plan = PlanLocally(options, containers);
  PrintProblems(plan.problems);
  if (!plan.ok()) return kExitBadInput;
  nlohmann::json report = {{"records", nlohmann::json::array()}, {"faults", nlohmann::json::array()}};
  for (const auto& experiment : plan.result.experiments) {
    for (const auto& record : experiment.records) {
      report["records"].push_back(
          {{"experiment", experiment.experiment.namespace_() + "/" + experiment.experiment.name()},
           {"id", record.id},
           {"selectorKey", record.selector_key},
           {"faults", record.fault_ids},
           {"message", record.message}});
    }
  }
  for (const auto& fault : plan.map().faults()) {
    report["faults"].push_back(Choice(fault, containers, forced, features.value(), plan.map().faults_size()));
  }
  if (options.format == Format::kTable) {
    Print(report);
  } else {
    std::cout << Render(report, options.format);
  }
  return kExitOk;
}

}  // namespace sabot::cli
