// SPDX-License-Identifier: Apache-2.0
//
// Commands that talk to everything on this machine that holds faults: status, halt, resume, undo.
#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "agent/local_socket.h"
#include "agent/state_dir.h"
#include "agent/undo.h"
#include "loader/status.h"
#include "tools/sabot/commands.h"

namespace sabot::cli {
namespace {

using agent::InstanceInfo;
using agent::StateDir;
using sabot::v1::LocalRequest;
using sabot::v1::LocalResponse;

constexpr absl::Duration kStatusTimeout = absl::Seconds(5);
// Packets that are held are let go in time, so this waits for the longest delays.
constexpr absl::Duration kHaltTimeout = absl::Seconds(60);

absl::StatusOr<StateDir> OpenStateDir(const std::string& state_dir) {
  return StateDir::Open(StateDir::DefaultPath(state_dir));
}

int Fail(const absl::Status& status) {
  PrintError(status);
  return kExitFailed;
}

nlohmann::json HolderJson(const InstanceInfo& instance) {
  nlohmann::json holder = {{"pid", instance.pid}, {"live", instance.live}};
  if (!instance.live) {
    holder["message"] = "dead, with something left to undo: run `sabot undo`";
    return holder;
  }
  LocalRequest request;
  request.mutable_status();
  auto response = agent::CallLocal(instance.socket_path(), request, kStatusTimeout);
  if (!response.ok()) {
    holder["message"] = absl::StrCat("does not answer: ", response.status().message());
    return holder;
  }
  holder["owner"] = response->owner();
  holder["faults"] = nlohmann::json::array();
  for (const auto& fault : response->faults()) holder["faults"].push_back(ToJson(fault));
  return holder;
}

std::vector<std::string> FaultRow(const nlohmann::json& fault) {
  const auto number = [&](const char* key) { return absl::StrCat(fault[key].get<uint64_t>()); };
  const uint64_t left = fault.value("expiresInMs", uint64_t{0});
  return {fault["experiment"], fault["target"],    fault["kind"],
          fault["mechanism"],  fault["phase"],     number("seen"),
          number("matched"),   number("affected"), left > 0 ? ShortDuration(left) : "-"};
}

void PrintStatus(const nlohmann::json& report) {
  if (report["halted"]) std::cout << "HALTED: no faults until `sabot resume`\n";
  if (report["holders"].empty()) std::cout << "no faults on this machine\n";
  for (const auto& holder : report["holders"]) {
    std::cout << "pid " << holder["pid"] << "  " << holder.value("owner", "") << holder.value("message", "")
              << "\n";
    if (!holder.contains("faults") || holder["faults"].empty()) continue;
    std::vector<std::vector<std::string>> rows = {
        {"EXPERIMENT", "TARGET", "FAULT", "MECHANISM", "PHASE", "SEEN", "MATCHED", "AFFECTED", "LEFT"}};
    for (const auto& fault : holder["faults"]) rows.push_back(FaultRow(fault));
    std::cout << Table(rows);
    for (const auto& fault : holder["faults"]) {
      const std::string message = fault["message"];
      if (!message.empty()) std::cout << fault["id"].get<std::string>() << ": " << message << "\n";
    }
  }
}

}  // namespace

int Status(const std::string& state_dir, Format format) {
  auto dir = OpenStateDir(state_dir);
  if (!dir.ok()) return Fail(dir.status());
  auto instances = dir->ListInstances();
  if (!instances.ok()) return Fail(instances.status());
  nlohmann::json report = {{"halted", dir->IsHalted()}, {"holders", nlohmann::json::array()}};
  nlohmann::json faults = nlohmann::json::array();
  for (const InstanceInfo& instance : *instances) {
    report["holders"].push_back(HolderJson(instance));
    for (const auto& fault : report["holders"].back().value("faults", nlohmann::json::array()))
      faults.push_back(fault);
  }
  report["faults"] = faults;
  if (format == Format::kTable) {
    PrintStatus(report);
  } else {
    std::cout << Render(report, format);
  }
  return kExitOk;
}

int Halt(const std::string& state_dir) {
  auto dir = OpenStateDir(state_dir);
  if (!dir.ok()) return Fail(dir.status());
  if (absl::Status halted = dir->Halt("sabot halt"); !halted.ok()) return Fail(halted);
  auto instances = dir->ListInstances();
  if (!instances.ok()) return Fail(instances.status());
  int code = kExitOk, ended = 0;
  LocalRequest request;
  request.mutable_halt();
  for (const InstanceInfo& instance : *instances) {
    if (!instance.live) continue;
    auto response = agent::CallLocal(instance.socket_path(), request, kHaltTimeout);
    if (response.ok()) {
      ended += response->faults_size();
    } else if (!absl::IsNotFound(response.status())) {  // it may have ended meanwhile
      code = Fail(
          absl::Status(response.status().code(),
                       absl::StrCat("pid ", instance.pid, " does not answer: ", response.status().message(),
                                    "; its faults end by themselves within 3 s if it is stopped")));
    }
  }
  std::cout << "halted: " << ended << " fault(s) ended, no new ones until `sabot resume`\n";
  return code;
}

int Resume(const std::string& state_dir) {
  auto dir = OpenStateDir(state_dir);
  if (!dir.ok()) return Fail(dir.status());
  if (absl::Status resumed = dir->Resume(); !resumed.ok()) return Fail(resumed);
  std::cout << "resumed: faults are allowed again\n";
  return kExitOk;
}

int Undo(const std::string& state_dir) {
  auto dir = OpenStateDir(state_dir);
  if (!dir.ok()) return Fail(dir.status());
  auto report = agent::UndoDeadInstances(*dir);
  if (!report.ok()) return Fail(report.status());
  for (const std::string& problem : report->problems) PrintError(problem);
  std::cout << "undone: " << report->undone << " deed(s) of " << report->instances << " dead instance(s)\n";
  return report->problems.empty() ? kExitOk : kExitFailed;
}

}  // namespace sabot::cli
