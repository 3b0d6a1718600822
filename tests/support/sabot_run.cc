// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sabot_run.h"

#include <csignal>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/support/clock.h"
#include "tests/support/require.h"

namespace sabot::test {
namespace {

using nlohmann::json;

json ParseEvent(const std::string& line) {
  json event = json::parse(line, nullptr, /*allow_exceptions=*/false);
  bool good = event.is_object() && event.contains("event") && event["event"].is_string();
  return good ? event : json();
}

std::string EventName(const json& event) { return event.is_null() ? "" : event["event"].get<std::string>(); }

std::string Text(const json& object, const char* name) {
  auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

uint64_t Number(const json& object, const char* name) {
  auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<uint64_t>() : 0;
}

std::vector<FaultReport> Faults(const json& event) {
  std::vector<FaultReport> faults;
  if (!event.contains("faults") || !event["faults"].is_array()) return faults;
  for (const json& fault : event["faults"]) faults.push_back(FaultReport::Parse(fault));
  return faults;
}

Command RunCommandLine(const SabotCli& cli, std::vector<std::string> args) {
  args.insert(args.begin(), "run");
  args.insert(args.end(), {"-o", "json"});
  return cli.Make(std::move(args));
}

}  // namespace

FaultReport FaultReport::Parse(const json& object) {
  return {.id = Text(object, "id"),
          .experiment = Text(object, "experiment"),
          .kind = Text(object, "kind"),
          .target = Text(object, "target"),
          .mechanism = Text(object, "mechanism"),
          .phase = Text(object, "phase"),
          .message = Text(object, "message"),
          .seen = Number(object, "seen"),
          .matched = Number(object, "matched"),
          .affected = Number(object, "affected"),
          .expires_in_ms = Number(object, "expiresInMs")};
}

std::string FaultReport::Describe() const {
  return absl::StrCat(kind, " of ", experiment, " on ", target, " by ", mechanism, ": ", phase, ", seen ",
                      seen, ", matched ", matched, ", affected ", affected,
                      message.empty() ? "" : ", " + message);
}

uint64_t RunEnd::Seen() const {
  uint64_t sum = 0;
  for (const FaultReport& fault : faults) sum += fault.seen;
  return sum;
}

uint64_t RunEnd::Matched() const {
  uint64_t sum = 0;
  for (const FaultReport& fault : faults) sum += fault.matched;
  return sum;
}

uint64_t RunEnd::Affected() const {
  uint64_t sum = 0;
  for (const FaultReport& fault : faults) sum += fault.affected;
  return sum;
}

std::string RunEnd::Describe() const {
  std::string text =
      absl::StrCat("exit ", exit_code, timed_out ? " (killed by the test: it did not end)" : "", "\n");
  for (const FaultReport& fault : faults) absl::StrAppend(&text, "  ", fault.Describe(), "\n");
  for (const std::string& line : malformed) absl::StrAppend(&text, "  not an event: ", line, "\n");
  return text + err;
}

SabotRun::SabotRun(const SabotCli& cli, std::vector<std::string> args)
    : process_(RunCommandLine(cli, std::move(args))) {}

std::vector<FaultReport> SabotRun::WaitInjected(int count, absl::Duration timeout) {
  std::vector<FaultReport> faults;
  for (int i = 0; i < count; ++i) {
    auto line = process_.WaitLine(
        injected_seen_, [](const std::string& text) { return EventName(ParseEvent(text)) == "injected"; },
        Scaled(timeout));
    if (!line.has_value()) {
      throw ArrangementFailed(absl::StrCat("sabot injected ", i, " of ", count, " faults; ",
                                           running() ? "it still runs" : "it has ended", "; it said:\n",
                                           absl::StrJoin(process_.Lines(), "\n"), "\n", process_.Errors()));
    }
    faults.push_back(FaultReport::Parse(ParseEvent(*line)));
  }
  return faults;
}

std::optional<std::vector<FaultReport>> SabotRun::WaitReport(
    const std::function<bool(const FaultReport&)>& wanted, absl::Duration timeout) {
  auto accepts = [&](const std::string& text) {
    json event = ParseEvent(text);
    if (EventName(event) != "counters" && EventName(event) != "ended") return false;
    for (const FaultReport& fault : Faults(event)) {
      if (wanted(fault)) return true;
    }
    return false;
  };
  auto line = process_.WaitLine(reports_seen_, accepts, Scaled(timeout));
  if (!line.has_value()) return std::nullopt;
  return Faults(ParseEvent(*line));
}

RunEnd SabotRun::End(absl::Duration timeout) {
  Finished finished = process_.Wait(Scaled(timeout));
  RunEnd end{.exit_code = finished.exit_code, .timed_out = finished.timed_out, .err = finished.err};
  for (const std::string& line : process_.Lines()) {
    json event = ParseEvent(line);
    if (event.is_null()) end.malformed.push_back(line);
    end.has_ended_event = EventName(event) == "ended";
    if (end.has_ended_event) end.faults = Faults(event);
  }
  return end;
}

RunEnd SabotRun::Interrupt() {
  Signal(SIGINT);
  return End();
}

}  // namespace sabot::test
