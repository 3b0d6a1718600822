// SPDX-License-Identifier: Apache-2.0
#include "agent/undo.h"

#include "absl/strings/str_cat.h"
#include "agent/clock/journalled.h"
#include "agent/journal.h"
#include "agent/network/journalled.h"
#include "loader/status.h"

namespace sabot::agent {
namespace {

std::string Describe(const sabot::v1::Deed& deed) {
  switch (deed.kind_case()) {
    case sabot::v1::Deed::kQdisc:
      return absl::StrCat("qdisc ", deed.qdisc().kind(), " on ", deed.qdisc().device(), " in ",
                          deed.qdisc().netns().name());
    case sabot::v1::Deed::kFilter:
      return absl::StrCat("filter ", deed.filter().program(), " on ", deed.filter().device(), " in ",
                          deed.filter().netns().name());
    case sabot::v1::Deed::kHelper:
      return absl::StrCat("helper process ", deed.helper().pid());
    case sabot::v1::Deed::kClock:
      return "the changed clocks of processes";
    case sabot::v1::Deed::KIND_NOT_SET:
      break;
  }
  return "a deed of another version";
}

void ReportDamage(const InstanceInfo& instance, UndoReport& report) {
  auto contents = ReadJournal(instance.journal_path());
  if (!contents.ok() || contents->other_boot) return;
  for (const std::string& problem : contents->problems) {
    report.problems.push_back(absl::StrCat(instance.journal_path().string(), ": ", problem));
  }
}

void UndoOpenDeeds(Journal& journal, UndoReport& report) {
  const OpenDeeds open = journal.open();
  for (auto it = open.rbegin(); it != open.rend(); ++it) {
    const sabot::v1::Deed& deed = it->second;
    absl::Status undone = deed.has_clock() ? UndoClock(deed.clock()) : UndoDeed(deed);
    if (undone.ok()) undone = journal.Undone(it->first);
    if (undone.ok()) {
      ++report.undone;
    } else {
      report.problems.push_back(absl::StrCat("undo ", Describe(it->second), ": ", undone.message()));
    }
  }
}

void UndoInstance(const StateDir& state_dir, const InstanceInfo& info, UndoReport& report) {
  auto instance = state_dir.AdoptInstance(info);
  if (!instance.ok()) return;  // somebody else is at it, or it is live after all
  ++report.instances;
  ReportDamage(info, report);
  auto journal = Journal::Open(instance->journal_path());
  if (absl::IsNotFound(journal.status())) return;  // died before it had done anything
  if (!journal.ok()) {
    report.problems.push_back(std::string(journal.status().message()));
    return;
  }
  UndoOpenDeeds(*journal, report);
}

}  // namespace

absl::StatusOr<UndoReport> UndoDeadInstances(const StateDir& state_dir) {
  SABOT_ASSIGN_OR_RETURN(const auto instances, state_dir.ListInstances());
  UndoReport report;
  for (const InstanceInfo& info : instances) {
    if (!info.live) UndoInstance(state_dir, info, report);
  }
  SABOT_RETURN_IF_ERROR(state_dir.RemoveDeadClaims());
  return report;
}

}  // namespace sabot::agent
