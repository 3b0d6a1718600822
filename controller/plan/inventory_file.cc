// SPDX-License-Identifier: Apache-2.0
//
// Inventory files; examples/inventory.yaml shows every field.
#include <algorithm>
#include <optional>
#include <unordered_set>
#include <utility>

#include "controller/api/decoder.h"
#include "controller/api/names.h"
#include "controller/api/read_file.h"
#include "controller/api/report.h"
#include "controller/api/str_cat.h"
#include "controller/api/yaml.h"
#include "controller/plan/inventory.h"
#include "controller/plan/target_spec.h"

namespace sabot::plan {
namespace {

using api::ObjectDecoder;
using api::Quoted;
using api::StrCat;
using api::YamlNode;

// Names that were seen, and where messages find them.
using Names = std::unordered_set<std::string>;

void CheckName(ObjectDecoder& fields, std::string_view field, const std::string& name, bool label) {
  if (label ? api::IsDnsLabel(name) : api::IsDnsSubdomain(name)) return;
  fields.Error(field, StrCat("Invalid value: ", Quoted(name), ": ",
                             label ? api::kDnsLabelRule : api::kDnsSubdomainRule));
}

void DecodeLabels(ObjectDecoder& fields, api::StringMap& labels) {
  fields.StringMap("labels", &labels);
  for (const auto& [key, value] : labels) {
    if (!api::IsLabelKey(key)) fields.Error("labels", StrCat(Quoted(key), " is no label key"));
    if (!api::IsLabelValue(value)) fields.Error("labels", StrCat(Quoted(value), " is no label value"));
  }
}

// A pid is written as a number, everything else as a string.
std::string TargetValue(ObjectDecoder& fields, std::string_view kind) {
  std::string text;
  if (kind != "pid") {
    fields.String(kind, &text);
    return text;
  }
  int64_t pid = 0;
  fields.Int(kind, &pid);
  return StrCat(pid);
}

// Exactly one of the kinds of targets.
void DecodeTarget(ObjectDecoder& fields, const std::string& name, sabot::v1::Target& target) {
  std::vector<std::string_view> given;
  for (std::string_view kind : TargetKinds()) {
    if (fields.Has(kind)) given.push_back(kind);
  }
  fields.Ignore(TargetKinds());
  if (given.size() != 1) {
    const std::string field = given.empty() ? "" : StrCat(given[1]);
    fields.context().report.Error(fields.At(field), given.empty() ? fields.path() : fields.PathOf(field),
                                  given.empty()
                                      ? "one of pid, netns, cgroup, unit, container is required"
                                      : "only one of pid, netns, cgroup, unit, container can be given");
    return;
  }
  const size_t errors_before = fields.context().report.errors();
  const std::string value = TargetValue(fields, given[0]);
  if (fields.context().report.errors() != errors_before) return;
  absl::StatusOr<sabot::v1::Target> made = MakeTarget(name, given[0], value);
  if (made.ok()) {
    target = *std::move(made);
  } else {
    fields.Error(given[0], StrCat(made.status().message()));
  }
}

class InventoryReader {
 public:
  InventoryReader(api::Report& report, Inventory& out) : report_(report), out_(out) {}

  void Document(const YamlNode& root) {
    report_.BeginObject("");
    ObjectDecoder file(root, "", {report_});
    ForEach(file, "pods", [this](ObjectDecoder& fields) { ReadPod(fields); });
    ForEach(file, "nodes", [this](ObjectDecoder& fields) { ReadNode(fields); });
    ForEach(file, "namespaces", [this](ObjectDecoder& fields) { ReadNamespace(fields); });
    file.Finish();
  }

 private:
  // Calls `read` with every item of the list of maps `name`.
  template <typename Read>
  void ForEach(ObjectDecoder& parent, std::string_view name, Read read) {
    const YamlNode* list = parent.Child(name);
    if (list == nullptr) return;
    if (list->kind != YamlNode::Kind::kList) {
      parent.Error(name, StrCat("must be a list, got ", api::KindName(list->kind)));
      return;
    }
    for (size_t i = 0; i < list->children.size() && !report_.full(); ++i) {
      ObjectDecoder fields(*list->children[i].value, StrCat(parent.PathOf(name), "[", i, "]"), {report_});
      read(fields);
      fields.Finish();
    }
  }

  void CheckUnique(ObjectDecoder& fields, Names& names, const std::string& name, std::string_view what) {
    if (!names.insert(name).second) fields.Error("name", StrCat(what, " ", Quoted(name), " is given twice"));
  }

  void ReadPod(ObjectDecoder& fields) {
    Pod pod;
    if (fields.String("namespace", &pod.ns)) CheckName(fields, "namespace", pod.ns, true);
    if (fields.String("name", &pod.name, {.required = true})) {
      CheckName(fields, "name", pod.name, false);
      CheckUnique(fields, pods_, pod.Id(), "pod");
    }
    DecodeLabels(fields, pod.labels);
    fields.StringMap("annotations", &pod.annotations);
    ReadPhase(fields, pod);
    if (fields.String("node", &pod.node)) CheckName(fields, "node", pod.node, false);
    fields.Bool("hostNetwork", &pod.host_network);
    ReadAddresses(fields, pod);
    DecodeTarget(fields, pod.Id(), pod.target);
    ReadContainers(fields, pod);
    out_.pods.push_back(std::move(pod));
  }

  void ReadPhase(ObjectDecoder& fields, Pod& pod) {
    constexpr api::EnumName<std::string_view> kPhases[] = {
        {"Pending", "Pending"}, {"Running", "Running"}, {"Succeeded", "Succeeded"},
        {"Failed", "Failed"},   {"Unknown", "Unknown"},
    };
    std::string_view phase = "Running";
    fields.Enum<std::string_view>("phase", kPhases, &phase);
    pod.phase = std::string(phase);
  }

  void ReadAddresses(ObjectDecoder& fields, Pod& pod) {
    std::vector<std::string> texts;
    fields.StringList("addresses", &texts);
    for (const std::string& text : texts) {
      absl::StatusOr<IpAddress> address = IpAddress::Parse(text);
      if (!address.ok()) {
        fields.Error("addresses", StrCat(address.status().message()));
      } else if (std::find(pod.addresses.begin(), pod.addresses.end(), *address) == pod.addresses.end()) {
        pod.addresses.push_back(*address);
      }
    }
  }

  void ReadContainers(ObjectDecoder& fields, Pod& pod) {
    Names names;
    ForEach(fields, "containers", [&](ObjectDecoder& container) {
      Container& out = pod.containers.emplace_back();
      if (container.String("name", &out.name, {.required = true})) {
        CheckName(container, "name", out.name, true);
        CheckUnique(container, names, out.name, "container");
      }
      DecodeTarget(container, StrCat(pod.Id(), "/", out.name), out.target);
    });
  }

  void ReadNode(ObjectDecoder& fields) {
    Node& node = out_.nodes.emplace_back();
    if (fields.String("name", &node.name, {.required = true})) {
      CheckName(fields, "name", node.name, false);
      CheckUnique(fields, nodes_, node.name, "node");
    }
    DecodeLabels(fields, node.labels);
  }

  void ReadNamespace(ObjectDecoder& fields) {
    Namespace& ns = out_.namespaces.emplace_back();
    if (fields.String("name", &ns.name, {.required = true})) {
      CheckName(fields, "name", ns.name, true);
      CheckUnique(fields, namespaces_, ns.name, "namespace");
    }
    DecodeLabels(fields, ns.labels);
    fields.StringMap("annotations", &ns.annotations);
  }

  api::Report& report_;
  Inventory& out_;
  Names pods_;
  Names nodes_;
  Names namespaces_;
};

}  // namespace

InventoryFile ParseInventory(std::string_view content, std::string_view file) {
  InventoryFile result;
  api::Report report(file);
  const api::YamlFile yaml = api::ParseYaml(content, report);
  InventoryReader reader(report, result.inventory);
  // Several documents are one inventory: names are unique over all of them.
  for (const api::YamlDocument& document : yaml.documents) reader.Document(*document.root);
  if (yaml.documents.empty() && report.errors() == 0) report.Error({}, "", "the inventory is empty");
  result.problems = report.Take();
  return result;
}

InventoryFile LoadInventory(const std::string& path) {
  const absl::StatusOr<std::string> content = api::ReadFile(path, api::kMaxYamlBytes);
  if (content.ok()) return ParseInventory(*content, path);
  InventoryFile result;
  result.problems.push_back({api::Severity::kError, path, 0, 0, "", StrCat(content.status().message())});
  return result;
}

}  // namespace sabot::plan
