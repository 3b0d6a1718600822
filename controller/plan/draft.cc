// SPDX-License-Identifier: Apache-2.0
#include "controller/plan/draft.h"

#include <algorithm>
#include <unordered_set>

#include "absl/strings/str_format.h"
#include "controller/api/go_duration.h"
#include "controller/api/str_cat.h"

namespace sabot::plan {
namespace {

using api::StrAppend;
using api::StrCat;

constexpr size_t kMaxFaultId = 512;

// Whole milliseconds, rounded up.
uint64_t CeilMilliseconds(absl::Duration duration) {
  return static_cast<uint64_t>(absl::ToInt64Milliseconds(absl::Ceil(duration, absl::Milliseconds(1))));
}

// The text, or its beginning and a hash of all of it when it is too long.
std::string Bounded(std::string text, size_t limit) {
  if (text.size() <= limit) return text;
  uint64_t hash = 14695981039346656037ull;  // FNV-1a
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  return StrCat(text.substr(0, limit - 17), "-", absl::StrFormat("%016x", hash));
}

}  // namespace

Draft::Draft(const api::Experiment& experiment, const PlanOptions& options, PlannedExperiment& planned)
    : options_(options),
      planned_(planned),
      problems_(experiment.source, planned.problems),
      uid_(experiment.metadata.Uid()) {}

void Draft::SetLifetime(const std::string& duration) {
  if (!options_.duration && duration.empty()) return;  // until it is stopped
  absl::StatusOr<absl::Duration> lifetime = api::ParseGoDuration(duration.empty() ? "0" : duration);
  if (options_.duration) lifetime = *options_.duration;
  // What the caller gave stands nowhere in the file.
  const std::string_view field = options_.duration ? "" : "spec.duration";
  if (!lifetime.ok()) {
    problems_.Error(field, StrCat(lifetime.status().message()));
  } else if (*lifetime < options_.minimum_duration) {
    problems_.Error(
        field, StrCat("duration ", absl::FormatDuration(*lifetime), " is too short, it must be at least ",
                      absl::FormatDuration(options_.minimum_duration)));
  } else {
    // An endless duration given by the caller is the longest that a fault can carry.
    expires_in_ms_ = CeilMilliseconds(std::min(*lifetime, absl::Milliseconds(int64_t{1} << 53)));
  }
}

void Draft::SetSabotOptions(const api::SabotOptions& options) {
  max_targets_ = options.max_targets;
  for (const std::string& rung : options.mechanism) policy_.add_allowed(rung);
  if (options.fidelity == api::MinimumFidelity::kDegraded) {
    policy_.set_minimum_fidelity(sabot::v1::FIDELITY_DEGRADED);
  } else if (options.fidelity == api::MinimumFidelity::kExact) {
    policy_.set_minimum_fidelity(sabot::v1::FIDELITY_EXACT);
  }
  has_policy_ = policy_.allowed_size() > 0 || policy_.minimum_fidelity() != sabot::v1::FIDELITY_UNSPECIFIED;
}

Record& Draft::AddRecord(const Pod& pod, std::string_view selector_key) {
  Record& record = planned_.records.emplace_back();
  record.id = pod.Id();
  record.selector_key = std::string(selector_key);
  if (!options_.standalone) record.node = pod.node;
  return record;
}

std::string Draft::FaultId(const Record& record, std::string_view effect, std::string_view suffix) const {
  return Bounded(StrCat(uid_, "/", record.id, "/", effect, suffix), kMaxFaultId);
}

sabot::v1::Fault& Draft::AddFault(Record& record, const Pod& pod, std::string_view effect,
                                  std::string_view suffix) {
  DraftFault& draft = faults_.emplace_back();
  draft.node = record.node;
  draft.fault.set_id(FaultId(record, effect, suffix));
  *draft.fault.mutable_experiment() = planned_.experiment;
  *draft.fault.mutable_target() = pod.target;
  draft.fault.mutable_target()->set_name(record.id);
  draft.fault.mutable_target()->set_allow_host_network(options_.allow_host_network);
  draft.fault.set_expires_in_ms(expires_in_ms_);
  if (has_policy_) *draft.fault.mutable_mechanism() = policy_;
  record.fault_ids.push_back(draft.fault.id());
  return draft.fault;
}

void Draft::Refuse(Record& record, std::string message) {
  problems_.Warning("", message);
  record.refused = true;
  record.message = std::move(message);
}

void Draft::CheckCaps() {
  std::unordered_set<std::string_view> hit;
  for (const Record& record : planned_.records) {
    if (!record.fault_ids.empty()) hit.insert(record.id);
  }
  if (hit.empty()) {
    const auto reason = std::find_if(planned_.records.begin(), planned_.records.end(),
                                     [](const Record& record) { return !record.message.empty(); });
    problems_.Error("", reason == planned_.records.end() ? "there is nothing to inject" : reason->message);
  }
  if (max_targets_ && hit.size() > static_cast<uint64_t>(*max_targets_)) {
    problems_.Error("spec.sabot.maxTargets",
                    StrCat(hit.size(), " pods would be hit, and at most ", *max_targets_, " may be"));
  }
  if (peers_ > options_.max_peers) {
    problems_.Error("", StrCat("needs more than ", options_.max_peers, " peer addresses in its faults"));
  }
}

}  // namespace sabot::plan
