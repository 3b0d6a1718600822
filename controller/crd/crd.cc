// SPDX-License-Identifier: Apache-2.0
#include "controller/crd/crd.h"

#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "controller/api/str_cat.h"
#include "controller/crd/open_api.h"
#include "loader/status.h"

namespace sabot::crd {
namespace {

using api::StrCat;
using nlohmann::json;

// status of an experiment, as upstream's typed clients read it.
constexpr Field kExperimentStatus[] = {
    {"conditions", "objects", "", "Selected, AllInjected, AllRecovered and Paused."},
    {"conditions[].reason", "string", "", "Why."},
    {"conditions[].status", "string", "required", "True, False or Unknown."},
    {"conditions[].type", "string", "required", "Selected, AllInjected, AllRecovered or Paused."},
    {"experiment", "object", "required", "What has been selected and how far it is."},
    {"experiment.containerRecords", "objects", "", "One per target."},
    {"experiment.containerRecords[].events", "objects", "", "What was done, the last hundred."},
    {"experiment.containerRecords[].events[].message", "string", "", "Why it failed."},
    {"experiment.containerRecords[].events[].operation", "string", "required", "Apply or Recover."},
    {"experiment.containerRecords[].events[].timestamp", "date-time", "required", "When."},
    {"experiment.containerRecords[].events[].type", "string", "required", "Succeeded or Failed."},
    {"experiment.containerRecords[].id", "string", "required", "namespace/pod or namespace/pod/container."},
    {"experiment.containerRecords[].injectedCount", "integer", "required", "How often it was injected."},
    {"experiment.containerRecords[].phase", "string", "required", "Not Injected, Injected, or on the way."},
    {"experiment.containerRecords[].recoveredCount", "integer", "required", "How often it was taken back."},
    {"experiment.containerRecords[].selectorKey", "string", "required", "`.` or `.Target`."},
    {"experiment.desiredPhase", "string", "enum=Run|Stop", "What is wanted."},
};

absl::StatusOr<json> MakeStatus(const Kind& kind) {
  std::vector<Field> fields(kind.more_status.begin(), kind.more_status.end());
  if (kind.status == Status::kExperiment) {
    fields.insert(fields.begin(), std::begin(kExperimentStatus), std::end(kExperimentStatus));
  }
  SABOT_ASSIGN_OR_RETURN(json status, MakeObject(fields, {}, Detail::kFull));
  status["description"] = "What is the case; written by the controller.";
  return status;
}

absl::StatusOr<json> MakeSpec(const Kind& kind) {
  SABOT_ASSIGN_OR_RETURN(json spec, MakeObject(kind.spec, kind.rules, Detail::kFull));
  spec["description"] = "What is wanted.";
  if (kind.frozen) {
    spec["x-kubernetes-validations"].push_back(
        {{"rule", "self == oldSelf"}, {"message", "Cannot update chaos spec"}});
  }
  return spec;
}

json Columns(const Kind& kind) {
  json columns = json::array();
  for (absl::string_view name :
       absl::StrSplit(absl::string_view(kind.columns.data(), kind.columns.size()), ' ', absl::SkipEmpty())) {
    columns.push_back(
        {{"jsonPath", StrCat(".spec.", name)}, {"name", std::string(name)}, {"type", "string"}});
  }
  return columns;
}

json Names(const Kind& kind) {
  json names = {{"kind", kind.name},
                {"listKind", StrCat(kind.name, "List")},
                {"plural", kind.plural},
                {"singular", absl::AsciiStrToLower(absl::string_view(kind.name.data(), kind.name.size()))}};
  if (!kind.short_names.empty()) {
    names["shortNames"] = std::vector<std::string>(
        absl::StrSplit(absl::string_view(kind.short_names.data(), kind.short_names.size()), ' '));
  }
  return names;
}

}  // namespace

absl::StatusOr<json> MakeCrd(const Kind& kind) {
  const auto named = [&kind](const absl::Status& status) {
    return absl::InvalidArgumentError(StrCat("table of ", kind.name, ": ", status.message()));
  };
  absl::StatusOr<json> spec = MakeSpec(kind);
  if (!spec.ok()) return named(spec.status());
  json properties = {{"apiVersion", {{"type", "string"}}},
                     {"kind", {{"type", "string"}}},
                     {"metadata", {{"type", "object"}}},
                     {"spec", *std::move(spec)}};
  if (kind.status != Status::kNone) {
    absl::StatusOr<json> status = MakeStatus(kind);
    if (!status.ok()) return named(status.status());
    properties["status"] = *std::move(status);
  }
  json version = {{"name", "v1alpha1"},
                  {"served", true},
                  {"storage", true},
                  {"schema",
                   {{"openAPIV3Schema",
                     {{"type", "object"},
                      {"description", kind.manual},
                      {"required", {"spec"}},
                      {"properties", std::move(properties)}}}}}};
  if (json columns = Columns(kind); !columns.empty())
    version["additionalPrinterColumns"] = std::move(columns);
  if (kind.status == Status::kSubresource) version["subresources"] = {{"status", json::object()}};
  return json{{"apiVersion", "apiextensions.k8s.io/v1"},
              {"kind", "CustomResourceDefinition"},
              {"metadata", {{"name", StrCat(kind.plural, ".", kind.group)}}},
              {"spec",
               {{"group", kind.group},
                {"names", Names(kind)},
                {"scope", kind.namespaced ? "Namespaced" : "Cluster"},
                {"versions", json::array({std::move(version)})}}}};
}

}  // namespace sabot::crd
