// SPDX-License-Identifier: Apache-2.0
#include "controller/api/yaml_builder.h"

#include <algorithm>
#include <optional>
#include <unordered_set>
#include <utility>

#include "controller/api/str_cat.h"
#include "controller/api/yaml_scalar.h"

namespace sabot::api {
namespace {

using Kind = YamlNode::Kind;

// The kind that a tag asks for. "?" and "" are no tag; "!" is what quoted scalars have.
std::optional<Kind> TagKind(std::string_view tag, std::string_view text) {
  if (tag == "?" || tag.empty()) return PlainScalarKind(text);
  if (tag == "!") return Kind::kString;
  constexpr std::string_view kPrefix = "tag:yaml.org,2002:";
  if (!tag.starts_with(kPrefix)) return std::nullopt;
  tag.remove_prefix(kPrefix.size());
  constexpr std::pair<std::string_view, Kind> kTags[] = {
      {"str", Kind::kString}, {"int", Kind::kInt},  {"float", Kind::kFloat}, {"bool", Kind::kBool},
      {"null", Kind::kNull},  {"seq", Kind::kList}, {"map", Kind::kMap},
  };
  for (const auto& [name, kind] : kTags) {
    if (tag == name) return kind;
  }
  return std::nullopt;
}

bool IsMergeKey(const YamlNode& key) { return key.kind == Kind::kString && key.text == "<<"; }

}  // namespace

bool YamlBuilder::Stop(Position at, std::string_view message) {
  stopped_ = true;
  report_.Error(at, "", message);
  return false;
}

YamlNode* YamlBuilder::NewNode(Position at, Kind kind, size_t anchor) {
  if (file_.nodes.size() >= kMaxYamlValues) {
    Stop(at, StrCat("file has too many values, the limit is ", kMaxYamlValues));
    return nullptr;
  }
  YamlNode& node = file_.nodes.emplace_back();
  node.kind = kind;
  node.at = at;
  if (anchor != 0) {
    anchors_[anchor] = &node;
    extents_[&node].open = kind == Kind::kList || kind == Kind::kMap;
  }
  return &node;
}

bool YamlBuilder::Null(Position at, size_t anchor) {
  const YamlNode* node = NewNode(at, Kind::kNull, anchor);
  return node != nullptr && Place(node, at, {});
}

bool YamlBuilder::Scalar(Position at, std::string_view tag, size_t anchor, std::string_view text) {
  const std::optional<Kind> kind = TagKind(tag, text);
  if (!kind || *kind == Kind::kList || *kind == Kind::kMap) {
    return Stop(at, StrCat("tag ", Quoted(tag), " is not supported here"));
  }
  if (text.find('\0') != text.npos) return Stop(at, "a string contains a NUL character");
  YamlNode* node = NewNode(at, *kind, anchor);
  if (node == nullptr) return false;
  node->text = std::string(text);
  return Place(node, at, {});
}

bool YamlBuilder::Alias(Position at, size_t anchor) {
  const auto it = anchors_.find(anchor);
  if (it == anchors_.end()) return Stop(at, "alias of an unknown anchor");
  const Extent extent = extents_[it->second];
  if (extent.open) return Stop(at, "alias of a value that contains it");
  return Place(it->second, at, extent);
}

bool YamlBuilder::Begin(Position at, Kind kind, std::string_view tag, size_t anchor) {
  // Flow and block collections come without tag, or with "?" or "!".
  if (tag.starts_with("tag:") && TagKind(tag, "") != kind) {
    return Stop(at, StrCat("tag ", Quoted(tag), " is not supported here"));
  }
  if (open_.size() >= static_cast<size_t>(kMaxYamlDepth)) {
    return Stop(at, StrCat("values are nested too deeply, the limit is ", kMaxYamlDepth));
  }
  YamlNode* node = NewNode(at, kind, anchor);
  if (node == nullptr) return false;
  open_.push_back({node, anchor});
  return true;
}

bool YamlBuilder::BeginList(Position at, std::string_view tag, size_t anchor) {
  return Begin(at, Kind::kList, tag, anchor);
}

bool YamlBuilder::BeginMap(Position at, std::string_view tag, size_t anchor) {
  return Begin(at, Kind::kMap, tag, anchor);
}

bool YamlBuilder::End() {
  const Frame frame = open_.back();
  open_.pop_back();
  if (frame.node->kind == Kind::kMap) {
    if (!ResolveMerges(*frame.node)) return false;
    CheckKeys(*frame.node);
  }
  if (frame.anchor != 0) extents_[frame.node] = frame.extent;
  return Place(frame.node, frame.node->at, frame.extent);
}

bool YamlBuilder::Place(const YamlNode* node, Position at, Extent extent) {
  if (open_.empty()) {
    root_ = node;
    return true;
  }
  Frame& frame = open_.back();
  frame.extent.values += extent.values;
  frame.extent.depth = std::max(frame.extent.depth, extent.depth + 1);
  if (frame.extent.values > kMaxYamlValues) {
    return Stop(at, StrCat("aliases expand to too many values, the limit is ", kMaxYamlValues));
  }
  if (frame.extent.depth > kMaxYamlDepth) {
    return Stop(at, StrCat("values are nested too deeply, the limit is ", kMaxYamlDepth));
  }
  if (frame.node->kind == Kind::kMap) return PlaceInMap(frame, node, at);
  frame.node->children.push_back({nullptr, node});
  return true;
}

bool YamlBuilder::PlaceInMap(Frame& frame, const YamlNode* node, Position at) {
  if (frame.key != nullptr) {
    frame.node->children.push_back({std::exchange(frame.key, nullptr), node});
    return true;
  }
  if (node->kind == Kind::kList || node->kind == Kind::kMap)
    return Stop(at, "the key of a map must be a scalar");
  frame.key = node;
  return true;
}

bool YamlBuilder::ResolveMerges(YamlNode& map) {
  const auto is_merge = [](const YamlEntry& entry) { return IsMergeKey(*entry.key); };
  if (std::none_of(map.children.begin(), map.children.end(), is_merge)) return true;
  std::vector<YamlEntry> merges;
  for (const YamlEntry& entry : map.children) {
    if (is_merge(entry)) merges.push_back(entry);
  }
  std::erase_if(map.children, is_merge);

  std::unordered_set<std::string_view> keys;
  for (const YamlEntry& entry : map.children) keys.insert(entry.key->text);
  // What stands in the map itself wins over what is merged, the first merged map over later ones.
  const auto merge_one = [&](const YamlNode& from) {
    if (from.kind != Kind::kMap)
      return Stop(from.at, "a merge key (<<) must refer to a map or a list of maps");
    merged_ += from.children.size();
    if (merged_ > kMaxYamlValues) return Stop(map.at, "merge keys expand to too many values");
    for (const YamlEntry& entry : from.children) {
      if (keys.insert(entry.key->text).second) map.children.push_back(entry);
    }
    return true;
  };
  for (const YamlEntry& merge : merges) {
    if (merge.value->kind != Kind::kList) {
      if (!merge_one(*merge.value)) return false;
      continue;
    }
    for (const YamlEntry& item : merge.value->children) {
      if (!merge_one(*item.value)) return false;
    }
  }
  return true;
}

void YamlBuilder::CheckKeys(const YamlNode& map) {
  std::unordered_set<std::string_view> keys;
  for (const YamlEntry& entry : map.children) {
    if (keys.insert(entry.key->text).second) continue;
    report_.Error(entry.key->at, "", StrCat("key ", Quoted(entry.key->text), " is given twice"));
  }
}

void YamlBuilder::Finish() {
  if (root_ == nullptr || root_->kind == Kind::kNull) return;
  file_.documents.push_back({root_, report_.errors() == errors_before_});
}

}  // namespace sabot::api
