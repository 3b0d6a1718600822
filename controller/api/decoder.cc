// SPDX-License-Identifier: Apache-2.0
#include "controller/api/decoder.h"

#include <algorithm>
#include <utility>

#include "controller/api/near_name.h"
#include "controller/api/str_cat.h"
#include "controller/api/yaml_scalar.h"

namespace sabot::api {
namespace {

using Kind = YamlNode::Kind;

std::string QuotedList(absl::Span<const std::string_view> texts) {
  std::string list;
  for (std::string_view text : texts) StrAppend(list, list.empty() ? "\"" : ", \"", text, "\"");
  return list;
}

// An integer, or a float that is one ("1.0", as JSON writers may have it).
std::optional<int64_t> IntValue(const YamlNode& node) {
  if (node.kind == Kind::kInt) return YamlInt(node.text);
  const std::string_view text = node.text;
  if (node.kind != Kind::kFloat || !text.ends_with(".0")) return std::nullopt;
  return YamlInt(text.substr(0, text.size() - 2));
}

std::string RangeMessage(int64_t value, const IntRule& rule) {
  std::string message = StrCat("Invalid value: ", value, ": must be ");
  if (value < rule.minimum) return StrCat(message, "greater than or equal to ", rule.minimum);
  return StrCat(message, "less than or equal to ", rule.maximum);
}

}  // namespace

ObjectDecoder::ObjectDecoder(const YamlNode& node, std::string path, DecodeContext context)
    : node_(&node), path_(std::move(path)), context_(context) {
  if (node.kind == Kind::kMap) return;
  WrongType(node, path_, Kind::kMap);
  node_ = nullptr;
}

const YamlEntry* ObjectDecoder::Find(std::string_view name) const {
  if (node_ == nullptr) return nullptr;
  for (const YamlEntry& entry : node_->children) {
    if (entry.key->text == name && entry.value->kind != Kind::kNull) return &entry;
  }
  return nullptr;
}

Position ObjectDecoder::At(std::string_view name) const {
  const YamlEntry* entry = Find(name);
  if (entry != nullptr) return entry->key->at;
  return node_ != nullptr ? node_->at : Position();
}

std::string ObjectDecoder::PathOf(std::string_view name) const {
  return path_.empty() ? std::string(name) : StrCat(path_, ".", name);
}

void ObjectDecoder::Error(std::string_view name, std::string_view message) {
  context_.report.Error(At(name), PathOf(name), message);
}

void ObjectDecoder::WrongType(const YamlNode& node, std::string_view path, Kind wanted) {
  std::string message = StrCat("must be ", KindName(wanted), ", got ", KindName(node.kind));
  const bool scalar = node.kind == Kind::kInt || node.kind == Kind::kFloat || node.kind == Kind::kBool;
  // The most frequent slip: `loss: 20`.
  if (wanted == Kind::kString && scalar) StrAppend(message, "; write ", Quoted(node.text));
  context_.report.Error(node.at, path, message);
}

const YamlNode* ObjectDecoder::Child(std::string_view name, bool required) {
  known_.push_back(name);
  const YamlEntry* entry = Find(name);
  if (entry == nullptr) {
    if (required && node_ != nullptr) Error(name, "Required value");
    return nullptr;
  }
  if (context_.source != nullptr) context_.source->fields[PathOf(name)] = entry->key->at;
  return entry->value;
}

const YamlNode* ObjectDecoder::Value(std::string_view name, Kind kind, bool required) {
  const YamlNode* value = Child(name, required);
  if (value == nullptr || value->kind == kind) return value;
  WrongType(*value, PathOf(name), kind);
  return nullptr;
}

bool ObjectDecoder::String(std::string_view name, std::string* out, const StringRule& rule) {
  const YamlNode* value = Value(name, Kind::kString, rule.required);
  const std::string_view text = value == nullptr || value->text.empty() ? rule.default_value : value->text;
  if (value == nullptr && text.empty()) return false;
  if (rule.matches != nullptr && !rule.matches(text)) {
    Error(name, StrCat("Invalid value: ", Quoted(text), ": must match '", rule.pattern, "'"));
    return false;
  }
  *out = std::string(text);
  return value != nullptr;
}

int ObjectDecoder::EnumIndex(std::string_view name, absl::Span<const std::string_view> texts,
                             const StringRule& rule) {
  const YamlNode* value = Child(name);
  if (value == nullptr && rule.required && node_ != nullptr) {
    Error(name, StrCat("Required value: one of ", QuotedList(texts)));
    return -1;
  }
  if (value != nullptr && value->kind != Kind::kString) {
    WrongType(*value, PathOf(name), Kind::kString);
    return -1;
  }
  if (value == nullptr && rule.default_value.empty()) return -1;
  const std::string_view text = value == nullptr || value->text.empty() ? rule.default_value : value->text;
  const auto it = std::find(texts.begin(), texts.end(), text);
  if (it != texts.end()) return static_cast<int>(it - texts.begin());
  Error(name, StrCat("Unsupported value: ", Quoted(text), ": supported values: ", QuotedList(texts)));
  return -1;
}

bool ObjectDecoder::Int(std::string_view name, int64_t* out, const IntRule& rule) {
  const YamlNode* value = Child(name, rule.required);
  if (value == nullptr) return false;
  const std::optional<int64_t> number = IntValue(*value);
  if (!number) {
    WrongType(*value, PathOf(name), Kind::kInt);
    return false;
  }
  if (*number < rule.minimum || *number > rule.maximum) {
    Error(name, RangeMessage(*number, rule));
    return false;
  }
  *out = *number;
  return true;
}

bool ObjectDecoder::Bool(std::string_view name, bool* out) {
  const YamlNode* value = Value(name, Kind::kBool, kOptional);
  const std::optional<bool> flag = value != nullptr ? YamlBool(value->text) : std::nullopt;
  if (flag) *out = *flag;
  return flag.has_value();
}

bool ObjectDecoder::ReadStrings(const YamlNode& list, const std::string& path,
                                std::vector<std::string>* out) {
  bool sound = true;
  for (size_t i = 0; i < list.children.size() && !context_.report.full(); ++i) {
    const YamlNode& item = *list.children[i].value;
    const std::string item_path = StrCat(path, "[", i, "]");
    if (context_.source != nullptr) context_.source->fields[item_path] = item.at;
    if (item.kind == Kind::kString) {
      out->push_back(item.text);
    } else {
      WrongType(item, item_path, Kind::kString);
      sound = false;
    }
  }
  return sound;
}

bool ObjectDecoder::StringList(std::string_view name, std::vector<std::string>* out) {
  const YamlNode* list = Value(name, Kind::kList, kOptional);
  return list != nullptr && ReadStrings(*list, PathOf(name), out);
}

bool ObjectDecoder::StringMap(std::string_view name, api::StringMap* out) {
  const YamlNode* map = Value(name, Kind::kMap, kOptional);
  if (map == nullptr) return false;
  bool sound = true;
  for (const YamlEntry& entry : map->children) {
    if (entry.value->kind == Kind::kString) {
      (*out)[entry.key->text] = entry.value->text;
    } else {
      WrongType(*entry.value, StrCat(PathOf(name), "[", entry.key->text, "]"), Kind::kString);
      sound = false;
    }
  }
  return sound;
}

bool ObjectDecoder::StringListMap(std::string_view name,
                                  std::map<std::string, std::vector<std::string>>* out) {
  const YamlNode* map = Value(name, Kind::kMap, kOptional);
  if (map == nullptr) return false;
  bool sound = true;
  for (const YamlEntry& entry : map->children) {
    const std::string path = StrCat(PathOf(name), "[", entry.key->text, "]");
    if (entry.value->kind == Kind::kNull) continue;
    if (entry.value->kind != Kind::kList) {
      WrongType(*entry.value, path, Kind::kList);
      sound = false;
      continue;
    }
    sound = ReadStrings(*entry.value, path, &(*out)[entry.key->text]) && sound;
  }
  return sound;
}

void ObjectDecoder::Ignore(absl::Span<const std::string_view> names) {
  known_.insert(known_.end(), names.begin(), names.end());
}

void ObjectDecoder::Finish() {
  if (node_ == nullptr) return;
  for (const YamlEntry& entry : node_->children) {
    if (context_.report.full()) return;
    const std::string& key = entry.key->text;
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    const std::string_view near = NearestName(key, known_);
    context_.report.Error(
        entry.key->at, PathOf(key),
        near.empty() ? "unknown field" : StrCat("unknown field; did you mean \"", near, "\"?"));
  }
}

}  // namespace sabot::api
