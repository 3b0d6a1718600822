// SPDX-License-Identifier: Apache-2.0
#include "controller/crd/open_api.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "controller/api/str_cat.h"
#include "loader/status.h"

namespace sabot::crd {
namespace {

using nlohmann::json;

using api::StrCat;

std::string_view Std(absl::string_view text) { return {text.data(), text.size()}; }
absl::string_view Absl(std::string_view text) { return {text.data(), text.size()}; }

json Typed(std::string_view type) { return {{"type", type}}; }
json ListOf(json items) { return {{"type", "array"}, {"items", std::move(items)}}; }
json MapOf(json values) { return {{"type", "object"}, {"additionalProperties", std::move(values)}}; }

void AddRule(json& schema, std::string_view expression, std::string_view message) {
  schema["x-kubernetes-validations"].push_back({{"rule", expression}, {"message", message}});
}

// A string that CEL looks at. The bound is what lets the API server estimate the cost of the rule.
json Checked(std::string_view pattern, std::string_view message) {
  json schema = Typed("string");
  schema["maxLength"] = 256;
  AddRule(schema, StrCat("self.matches(r'", pattern, "')"), message);
  return schema;
}

constexpr std::string_view kDuration =
    "^[-+]?(0|([0-9]+([.][0-9]*)?|[.][0-9]+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)"
    "(([0-9]+([.][0-9]*)?|[.][0-9]+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h))*)$";
constexpr std::string_view kFloat =
    "^([+-]?(inf|infinity)|nan|[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)(e[+-]?[0-9]+)?|"
    "[+-]?0x[0-9a-f_]*[.]?[0-9a-f_]*p[+-]?[0-9_]+)$";
constexpr std::string_view kRate = "^[[:space:]]*[0-9]+[[:space:]]*([kmgt]?bit|[kmgt]?bps)[[:space:]]*$";

json Duration(bool empty_allowed) {
  const std::string pattern = empty_allowed ? StrCat("^$|", kDuration) : std::string(kDuration);
  return Checked(pattern, "parse duration field error: not a duration such as 1h30m, 10s or 500ms");
}

json LabelRequirements() {
  json item = {
      {"type", "object"},
      {"required", {"key", "operator"}},
      {"properties",
       {{"key", Typed("string")}, {"operator", Typed("string")}, {"values", ListOf(Typed("string"))}}}};
  return ListOf(std::move(item));
}

// The object `selector`.
json Selector(bool machines) {
  const auto manual = [](json schema, std::string_view text) {
    schema["description"] = text;
    return schema;
  };
  const json map = MapOf(Typed("string"));
  const json names = MapOf(ListOf(Typed("string")));
  json properties = {
      {"annotationSelectors", manual(map, "Annotations that must be there, with these values.")},
      {"expressionSelectors",
       manual(LabelRequirements(), "Conditions over labels: In, NotIn, Exists, DoesNotExist.")},
      {"fieldSelectors", manual(map, "Fields of the object that must have these values.")},
      {"labelSelectors", manual(map, "Labels that must be there, with these values.")},
      {"namespaces",
       manual(ListOf(Typed("string")), "Where to look; empty: the experiment's own namespace.")},
  };
  if (machines) {
    properties["physicalMachines"] = manual(names, "By namespace and name; overrides everything else.");
  } else {
    properties["nodeSelectors"] = manual(map, "Labels of the nodes on which pods must be.");
    properties["nodes"] = manual(ListOf(Typed("string")), "Names of nodes on which pods must be.");
    properties["podPhaseSelectors"] = manual(ListOf(Typed("string")), "Phases: Running, or !Failed.");
    properties["pods"] = manual(names, "By namespace and name; overrides everything else.");
  }
  return {{"type", "object"},
          {"description", "Which ones; everything that is given must hold."},
          {"properties", std::move(properties)}};
}

// `selector`, `mode` and `value` of `object`.
void AddTargets(json& object, bool machines, Detail detail) {
  json& properties = object["properties"];
  properties["selector"] = Selector(machines);
  properties["mode"] = Typed("string");
  properties["mode"]["enum"] = {"one", "all", "fixed", "fixed-percent", "random-max-percent"};
  properties["mode"]["description"] = "How many of the selected ones are taken.";
  properties["value"] = Typed("string");
  properties["value"]["description"] = "A number for fixed, a percentage for the percent modes.";
  if (!machines) object["required"].push_back("selector");
  object["required"].push_back("mode");
  if (detail == Detail::kEmbedded) return;
  properties["value"]["maxLength"] = 256;
  AddRule(object,
          "!(self.mode in ['fixed', 'fixed-percent', 'random-max-percent']) || (has(self.value) && "
          "self.value.matches('^[-+]?[0-9]{1,18}$'))",
          "parse value field error: not an integer");
  AddRule(object,
          "self.mode != 'fixed' || !has(self.value) || !self.value.matches('^[-+]?[0-9]{1,18}$') || "
          "int(self.value) > 0",
          "value must be greater than 0 with mode:fixed");
  AddRule(object,
          "!(self.mode in ['fixed-percent', 'random-max-percent']) || !has(self.value) || "
          "!self.value.matches('^[-+]?[0-9]{1,18}$') || (int(self.value) > 0 && int(self.value) <= 100)",
          "value is invalid, Must be (0,100] with mode:fixed-percent and random-max-percent");
}

json EmptyObject() { return {{"type", "object"}, {"properties", json::object()}}; }

absl::StatusOr<json> TypeOf(const Field& field) {
  const std::string_view type = field.type;
  if (type == "string" || type == "integer" || type == "boolean") return Typed(type);
  if (type == "int32" || type == "int64") return json{{"type", "integer"}, {"format", type}};
  if (type == "date-time" || type == "byte") return json{{"type", "string"}, {"format", type}};
  if (type == "duration") return Duration(true);
  if (type == "offset") return Duration(false);
  if (type == "correlation") {
    return Checked(StrCat("(?i)^$|", kFloat), "parse correlation field error: not a number");
  }
  if (type == "float") return Checked(StrCat("(?i)", kFloat), "parse correlation field error: not a number");
  if (type == "rate")
    return Checked(StrCat("(?i)", kRate), "parse rate field error: not a rate such as 1mbps or 10kbit");
  if (type == "strings") return ListOf(Typed("string"));
  if (type == "lists") return ListOf(ListOf(Typed("string")));
  if (type == "map") return MapOf(Typed("string"));
  if (type == "integers") return MapOf(Typed("integer"));
  if (type == "lists-map") return MapOf(ListOf(Typed("string")));
  if (type == "object") return EmptyObject();
  if (type == "objects") return ListOf(EmptyObject());
  if (type == "objects-map") return MapOf(EmptyObject());
  if (type == "int-or-string") return json{{"x-kubernetes-int-or-string", true}};
  if (type == "any") return json{{"x-kubernetes-preserve-unknown-fields", true}};
  if (type.starts_with('@')) {
    const Kind* kind = FindKind(type.substr(1));
    if (kind != nullptr) return MakeObject(kind->spec, {}, Detail::kEmbedded);
  }
  return absl::InvalidArgumentError(StrCat("no such type: ", type));
}

json Scalar(const json& schema, std::string_view text) {
  int64_t number = 0;
  if (schema.value("type", "") == "integer" && absl::SimpleAtoi(Absl(text), &number)) return number;
  return text;
}

// One word of Field::rules. `parent` is the object that has the field.
absl::Status ApplyRule(std::string_view word, std::string_view name, json& schema, json& parent) {
  const size_t equals = word.find('=');
  const std::string_view key = word.substr(0, equals);
  const std::string_view value = equals == word.npos ? "" : word.substr(equals + 1);
  if (key == "required") {
    parent["required"].push_back(name);
  } else if (key == "nullable") {
    schema["nullable"] = true;
  } else if (key == "enum") {
    schema["enum"] = std::vector<std::string>(absl::StrSplit(Absl(value), '|'));
  } else if (key == "min") {
    schema["minimum"] = Scalar(schema, value);
  } else if (key == "max") {
    schema["maximum"] = Scalar(schema, value);
  } else if (key == "default") {
    schema["default"] = Scalar(schema, value);
  } else if (key == "pattern") {
    schema["pattern"] = value;
  } else {
    return absl::InvalidArgumentError(StrCat("no such rule: ", word));
  }
  return absl::OkStatus();
}

// Goes down `path` ("a.b[].c") in an object's schema; null when there is no such object.
json* Descend(json& root, std::string_view path) {
  json* at = &root;
  if (path.empty()) return at;
  for (absl::string_view part : absl::StrSplit(Absl(path), '.')) {
    std::string name(part);
    std::string_view inner;
    if (name.ends_with("[]")) inner = "items";
    if (name.ends_with("{}")) inner = "additionalProperties";
    if (!inner.empty()) name.resize(name.size() - 2);
    if (!at->contains("properties") || !(*at)["properties"].contains(name)) return nullptr;
    at = &(*at)["properties"][name];
    if (inner.empty()) continue;
    if (!at->contains(inner)) return nullptr;
    at = &(*at)[std::string(inner)];
  }
  return at->contains("properties") ? at : nullptr;
}

absl::Status AddField(const Field& field, Detail detail, json& root) {
  if (field.type == "targets") {
    json* object = Descend(root, field.path);
    if (object == nullptr) return absl::InvalidArgumentError("no such object");
    AddTargets(*object, field.rules.find("machines") != std::string_view::npos, detail);
    return absl::OkStatus();
  }
  const size_t dot = field.path.rfind('.');
  const std::string_view name = dot == field.path.npos ? field.path : field.path.substr(dot + 1);
  json* parent = Descend(root, dot == field.path.npos ? "" : field.path.substr(0, dot));
  if (parent == nullptr) return absl::InvalidArgumentError("no such parent");
  if ((*parent)["properties"].contains(name)) return absl::InvalidArgumentError("is there twice");
  SABOT_ASSIGN_OR_RETURN(json schema, TypeOf(field));
  for (absl::string_view word : absl::StrSplit(Absl(field.rules), ' ', absl::SkipEmpty())) {
    SABOT_RETURN_IF_ERROR(ApplyRule(Std(word), name, schema, *parent));
  }
  // Within a list a rule would be run any number of times, which the API server does not allow.
  if (detail == Detail::kEmbedded || field.path.find("[]") != field.path.npos) {
    schema.erase("x-kubernetes-validations");
    schema.erase("maxLength");
  }
  if (detail == Detail::kFull && !field.manual.empty()) schema["description"] = field.manual;
  (*parent)["properties"][std::string(name)] = std::move(schema);
  return absl::OkStatus();
}

// Descriptions of what Selector() makes are left out of embedded kinds.
void DropManuals(json& schema) {
  if (schema.is_object()) {
    if (schema.contains("description") && schema["description"].is_string()) schema.erase("description");
    for (auto& [key, value] : schema.items()) DropManuals(value);
  }
}

}  // namespace

absl::StatusOr<json> MakeObject(absl::Span<const Field> fields, absl::Span<const Rule> rules, Detail detail) {
  json root = EmptyObject();
  for (const Field& field : fields) {
    const absl::Status status = AddField(field, detail, root);
    if (!status.ok()) {
      return absl::InvalidArgumentError(StrCat(field.path, ": ", status.message()));
    }
  }
  for (const Rule& rule : rules) {
    json* object = Descend(root, rule.path);
    if (object == nullptr) {
      return absl::InvalidArgumentError(StrCat(rule.path, ": a rule for an object that is not there"));
    }
    AddRule(*object, rule.expression, rule.message);
  }
  if (detail == Detail::kEmbedded) DropManuals(root);
  return root;
}

}  // namespace sabot::crd
