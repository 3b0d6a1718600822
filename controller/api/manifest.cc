// SPDX-License-Identifier: Apache-2.0
#include "controller/api/manifest.h"

#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_format.h"
#include "controller/api/decode.h"
#include "controller/api/decoder.h"
#include "controller/api/kinds.h"
#include "controller/api/read_file.h"
#include "controller/api/report.h"
#include "controller/api/str_cat.h"
#include "controller/api/yaml.h"

namespace sabot::api {
namespace {

// Five characters that depend on the file's name and the object's place in it: what completes a generateName.
std::string GeneratedSuffix(std::string_view file, size_t ordinal) {
  uint32_t hash = 2166136261u;  // FNV-1a
  for (char c : StrCat(file, "#", ordinal)) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return absl::StrFormat("%05x", hash & 0xFFFFF);
}

std::string KnownKinds() {
  std::string text = "supported: ";
  for (const Kind& kind : AllKinds()) {
    if (kind.decode != nullptr) StrAppend(text, kind.name, " (", kind.api_version, "), ");
  }
  return text + "List (v1)";
}

class ManifestReader {
 public:
  ManifestReader(std::string_view file, Report& report) : file_(file), report_(report) {}

  void Document(const YamlNode& root, bool sound) {
    report_.BeginObject("");
    if (IsList(root)) {
      List(root, sound);
    } else {
      Object(root, "", sound);
    }
  }

  std::vector<Experiment> Take() { return std::move(experiments_); }

 private:
  static const std::string* TextOf(const YamlNode& map, std::string_view name) {
    for (const YamlEntry& entry : map.children) {
      if (entry.key != nullptr && entry.key->text == name && entry.value->kind == YamlNode::Kind::kString) {
        return &entry.value->text;
      }
    }
    return nullptr;
  }

  static bool IsList(const YamlNode& root) {
    const std::string* kind = TextOf(root, "kind");
    const std::string* api_version = TextOf(root, "apiVersion");
    return kind != nullptr && *kind == "List" && api_version != nullptr && *api_version == "v1";
  }

  void List(const YamlNode& root, bool sound) {
    ObjectDecoder list(root, "", {report_});
    list.Ignore({"apiVersion", "kind", "metadata"});
    const YamlNode* items = list.Child("items", kRequired);
    list.Finish();
    if (items == nullptr) return;
    if (items->kind != YamlNode::Kind::kList) {
      list.Error("items", StrCat("must be a list, got ", KindName(items->kind)));
      return;
    }
    for (size_t i = 0; i < items->children.size() && !report_.full(); ++i) {
      Object(*items->children[i].value, StrCat("items[", i, "]."), sound);
    }
  }

  void Object(const YamlNode& root, std::string prefix, bool sound) {
    ++objects_;
    report_.BeginObject(prefix);
    const size_t errors_before = report_.errors();
    Experiment experiment;
    experiment.source = {std::string(file_), std::move(prefix), root.at, {}};
    Decode(root, experiment);
    if (sound && report_.errors() == errors_before) Add(std::move(experiment), root);
    report_.BeginObject("");
  }

  void Decode(const YamlNode& root, Experiment& experiment) {
    ObjectDecoder object(root, "", {report_, &experiment.source});
    object.String("apiVersion", &experiment.api_version, {.required = true});
    object.String("kind", &experiment.kind, {.required = true});
    if (root.kind != YamlNode::Kind::kMap || experiment.api_version.empty() || experiment.kind.empty())
      return;
    // The other fields of an object whose kind is not known mean nothing to us.
    const Kind* kind = FindKind(object, experiment);
    if (kind == nullptr) return;
    experiment.metadata = DecodeMetadata(object, GeneratedSuffix(file_, objects_));
    object.Ignore({"status"});
    const YamlNode* spec_node = object.Child("spec", kRequired);
    object.Finish();
    if (spec_node == nullptr) return;
    ObjectDecoder spec(*spec_node, "spec", object.context());
    kind->decode(spec, experiment);
    spec.Finish();
  }

  // The kind, if this version carries it out.
  static const Kind* FindKind(ObjectDecoder& object, const Experiment& experiment) {
    bool group_known = false;
    bool name_known = false;
    for (const Kind& kind : AllKinds()) {
      const bool same_group = kind.api_version == experiment.api_version;
      group_known = group_known || same_group;
      name_known = name_known || kind.name == experiment.kind;
      if (!same_group || kind.name != experiment.kind) continue;
      if (kind.decode != nullptr) return &kind;
      object.Error("kind", StrCat("kind ", kind.name, " is not supported by this version"));
      return nullptr;
    }
    if (group_known) {
      object.Error("kind", StrCat("kind ", Quoted(experiment.kind), " is not known in ",
                                  experiment.api_version, "; ", KnownKinds()));
    } else {
      object.Error("apiVersion",
                   StrCat("apiVersion ", Quoted(experiment.api_version), " is not known",
                          name_known ? " for kind " + experiment.kind : "", "; ", KnownKinds()));
    }
    return nullptr;
  }

  void Add(Experiment experiment, const YamlNode& root) {
    const std::string id =
        StrCat(experiment.kind, " ", experiment.metadata.ns, "/", experiment.metadata.name);
    if (!ids_.insert(id).second) {
      report_.Error(root.at, "metadata.name", StrCat(id, " is in this file already"));
      return;
    }
    experiments_.push_back(std::move(experiment));
  }

  std::string_view file_;
  Report& report_;
  size_t objects_ = 0;
  absl::flat_hash_set<std::string> ids_;
  std::vector<Experiment> experiments_;
};

}  // namespace

Manifests ParseManifests(std::string_view content, std::string_view file) {
  Report report(file);
  const YamlFile yaml = ParseYaml(content, report);
  ManifestReader reader(file, report);
  for (const YamlDocument& document : yaml.documents) {
    if (report.full()) break;
    reader.Document(*document.root, document.sound);
  }
  if (yaml.documents.empty() && report.errors() == 0) report.Error({}, "", "there is no object in this file");
  Manifests manifests;
  manifests.experiments = reader.Take();
  manifests.problems = report.Take();
  return manifests;
}

Manifests LoadManifests(const std::string& path) {
  const absl::StatusOr<std::string> content = ReadFile(path, kMaxYamlBytes);
  if (content.ok()) return ParseManifests(*content, path);
  Manifests manifests;
  manifests.problems.push_back({Severity::kError, path, 0, 0, "", std::string(content.status().message())});
  return manifests;
}

}  // namespace sabot::api
