// SPDX-License-Identifier: Apache-2.0
//
// --target [NAMESPACE/]NAME=KIND:VALUE[,LABEL=VALUE...]
#include <algorithm>
#include <utility>

#include "controller/api/names.h"
#include "controller/api/report.h"
#include "controller/api/str_cat.h"
#include "controller/plan/inventory.h"
#include "controller/plan/target_spec.h"

namespace sabot::plan {
namespace {

using api::Quoted;
using api::StrCat;

absl::Status Invalid(std::string reason) { return absl::InvalidArgumentError(std::move(reason)); }

// What stands before `separator`; takes both off `text`. Everything when there is none.
std::string_view TakeUntil(std::string_view& text, char separator) {
  const size_t end = text.find(separator);
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return taken;
}

// [NAMESPACE/]NAME
absl::Status ParseName(std::string_view text, Pod& pod) {
  if (text.find('/') != std::string_view::npos) pod.ns = std::string(TakeUntil(text, '/'));
  pod.name = std::string(text);
  if (!api::IsDnsLabel(pod.ns)) {
    return Invalid(StrCat("namespace ", Quoted(pod.ns), " ", api::kDnsLabelRule));
  }
  if (!api::IsDnsSubdomain(pod.name)) {
    return Invalid(StrCat("name ", Quoted(pod.name), " ", api::kDnsSubdomainRule));
  }
  return absl::OkStatus();
}

// LABEL=VALUE[,LABEL=VALUE...]
absl::Status ParseLabels(std::string_view text, Pod& pod) {
  while (true) {
    const bool last = text.find(',') == std::string_view::npos;
    std::string_view value = TakeUntil(text, ',');
    if (value.find('=') == std::string_view::npos) {
      return Invalid(StrCat("label ", Quoted(value), " has no value; write LABEL=VALUE"));
    }
    const std::string key(TakeUntil(value, '='));
    if (!api::IsLabelKey(key)) return Invalid(StrCat(Quoted(key), " is no label key"));
    if (!api::IsLabelValue(value)) return Invalid(StrCat(Quoted(value), " is no label value"));
    if (!pod.labels.emplace(key, std::string(value)).second) {
      return Invalid(StrCat("label ", Quoted(key), " is given twice"));
    }
    if (last) return absl::OkStatus();
  }
}

absl::StatusOr<Pod> ParseTarget(std::string_view spec) {
  constexpr const char* kForm = "must be [NAMESPACE/]NAME=KIND:VALUE[,LABEL=VALUE...]";
  std::string_view rest = spec;
  if (rest.find('=') == std::string_view::npos) return Invalid(kForm);
  Pod pod;
  if (absl::Status status = ParseName(TakeUntil(rest, '='), pod); !status.ok()) return status;

  const bool has_labels = rest.find(',') != std::string_view::npos;
  std::string_view value = TakeUntil(rest, ',');
  if (value.find(':') == std::string_view::npos) return Invalid(kForm);
  const std::string_view kind = TakeUntil(value, ':');
  absl::StatusOr<sabot::v1::Target> target = MakeTarget(pod.Id(), kind, value);
  if (!target.ok()) return target.status();
  pod.target = *std::move(target);
  if (has_labels) {
    if (absl::Status status = ParseLabels(rest, pod); !status.ok()) return status;
  }
  return pod;
}

}  // namespace

absl::Status AddTarget(std::string_view spec, Inventory& inventory) {
  if (spec.size() > 64 << 10) return Invalid("is too long");
  absl::StatusOr<Pod> pod = ParseTarget(spec);
  if (!pod.ok()) return pod.status();
  const bool known = std::any_of(inventory.pods.begin(), inventory.pods.end(), [&pod](const Pod& other) {
    return other.ns == pod->ns && other.name == pod->name;
  });
  if (known) return absl::AlreadyExistsError(StrCat(pod->Id(), " is given twice"));
  inventory.pods.push_back(*std::move(pod));
  return absl::OkStatus();
}

}  // namespace sabot::plan
