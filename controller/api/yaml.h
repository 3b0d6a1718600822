// SPDX-License-Identifier: Apache-2.0
//
// YAML text → trees of plain nodes that know their place in the file. The only user of yaml-cpp. Its own tree
// is not used: it loses the places of maps, hides duplicate keys, and expands nothing but also bounds
// nothing.
#ifndef SABOT_CONTROLLER_API_YAML_H_
#define SABOT_CONTROLLER_API_YAML_H_

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "controller/api/problem.h"
#include "controller/api/report.h"

namespace sabot::api {

inline constexpr size_t kMaxYamlBytes = 8 << 20;
// Of values within values, aliases followed.
inline constexpr int kMaxYamlDepth = 64;
// Of values in one file, and of values in one document with its aliases followed.
inline constexpr size_t kMaxYamlValues = 1'000'000;

struct YamlNode;

// A child: in a map with its key, which is a scalar; in a list without.
struct YamlEntry {
  const YamlNode* key = nullptr;
  const YamlNode* value = nullptr;
};

// Owned by its YamlFile; never changes once the file is parsed. Through aliases, a node may be the child of
// several others, but never of itself.
struct YamlNode {
  enum class Kind { kNull, kBool, kInt, kFloat, kString, kList, kMap };
  Kind kind = Kind::kNull;
  std::string text;                 // of the scalars, without quotes
  std::vector<YamlEntry> children;  // of the lists and maps; the keys of a map differ
  Position at;
};

// "a string", "an integer", ... for messages.
std::string_view KindName(YamlNode::Kind kind);

struct YamlDocument {
  const YamlNode* root = nullptr;  // never null
  bool sound = true;               // false: it has an error in the report, such as a key that is given twice
};

struct YamlFile {
  std::deque<YamlNode> nodes;
  std::vector<YamlDocument> documents;  // without the empty ones
};

// Parses all documents. What is wrong goes to `report`; the documents before a syntax error are returned.
// Scalars without quotes are typed as Kubernetes' tools do it (YAML 1.1: `yes` is a boolean, 0o17 an integer,
// a date a string), and merge keys (<<) are resolved. Never throws.
YamlFile ParseYaml(std::string_view content, Report& report);

}  // namespace sabot::api

#endif  // SABOT_CONTROLLER_API_YAML_H_
