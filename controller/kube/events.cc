// SPDX-License-Identifier: Apache-2.0
#include "controller/kube/events.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "controller/api/str_cat.h"
#include "loader/status.h"

namespace sabot::kube {
namespace {

using api::StrCat;
using nlohmann::json;

constexpr size_t kMaxMessage = 1024;

std::string NamespaceOf(const ObjectReference& about) { return about.ns.empty() ? "default" : about.ns; }

Resource Events(const std::string& ns) { return {.version = "v1", .plural = "events", .ns = ns}; }

std::string Seconds(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

// Not in the middle of a character.
std::string Cut(std::string text) {
  if (text.size() <= kMaxMessage) return text;
  size_t end = kMaxMessage;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  return text;
}

}  // namespace

absl::Status EventRecorder::Record(const ObjectReference& about, const Event& event) {
  const std::string key = StrCat(about.uid, "\n", NamespaceOf(about), "\n", about.kind, "\n", about.name,
                                 "\n", event.warning ? "Warning" : "Normal", "\n", event.reason, "\n",
                                 event.component, "\n", event.message);
  Written written;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = written_.find(key);
    if (found != written_.end()) written = found->second;
  }
  if (written.count > 0 && absl::Now() - written.last < fresh_) {
    const absl::Status status = CountUp(NamespaceOf(about), key, written);
    // The API server forgets events after an hour.
    if (!absl::IsNotFound(status)) return status;
  }
  return Create(about, event, key);
}

absl::Status EventRecorder::Create(const ObjectReference& about, const Event& event, const std::string& key) {
  const absl::Time now = absl::Now();
  json reference = {
      {"apiVersion", about.api_version}, {"kind", about.kind}, {"name", about.name}, {"uid", about.uid}};
  if (!about.ns.empty()) reference["namespace"] = about.ns;
  const json object = {{"apiVersion", "v1"},
                       {"kind", "Event"},
                       {"metadata",
                        {{"name", StrCat(about.name, ".", absl::StrFormat("%016x", absl::ToUnixNanos(now)))},
                         {"annotations", event.annotations}}},
                       {"involvedObject", reference},
                       {"type", event.warning ? "Warning" : "Normal"},
                       {"reason", event.reason},
                       {"message", Cut(event.message)},
                       {"source", {{"component", event.component}}},
                       {"firstTimestamp", Seconds(now)},
                       {"lastTimestamp", Seconds(now)},
                       {"count", 1}};
  SABOT_ASSIGN_OR_RETURN(const json made, client_.Create(Events(NamespaceOf(about)), object));
  const json::json_pointer at("/metadata/name");
  if (!made.contains(at) || !made[at].is_string())
    return absl::DataLossError("API server sent an event without name");
  Remember(key, {made[at].get<std::string>(), 1, now});
  return absl::OkStatus();
}

absl::Status EventRecorder::CountUp(const std::string& ns, const std::string& key, Written written) {
  ++written.count;
  written.last = absl::Now();
  const json patch = {{"count", written.count}, {"lastTimestamp", Seconds(written.last)}};
  SABOT_RETURN_IF_ERROR(client_.Patch(Events(ns), written.name, PatchType::kMerge, patch).status());
  Remember(key, std::move(written));
  return absl::OkStatus();
}

void EventRecorder::Remember(const std::string& key, Written written) {
  absl::MutexLock lock(&mutex_);
  written_[key] = std::move(written);
  if (written_.size() <= kMostRemembered) return;
  written_.erase(std::min_element(written_.begin(), written_.end(), [](const auto& a, const auto& b) {
    return a.second.last < b.second.last;
  }));
}

}  // namespace sabot::kube
