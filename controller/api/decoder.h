// SPDX-License-Identifier: Apache-2.0
//
// Reads one map of a YAML tree field by field, checks what a schema checks (type, presence, enum, pattern,
// range) and reports everything that is wrong. The calls that a kind makes on it are the description of its
// fields.
#ifndef SABOT_CONTROLLER_API_DECODER_H_
#define SABOT_CONTROLLER_API_DECODER_H_

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "controller/api/metadata.h"
#include "controller/api/report.h"
#include "controller/api/source.h"
#include "controller/api/yaml.h"

namespace sabot::api {

inline constexpr bool kRequired = true;
inline constexpr bool kOptional = false;

struct StringRule {
  bool required = false;
  // Taken when the field is absent or empty, before the other rules are looked at.
  std::string_view default_value = "";
  // When not null: what a value must satisfy, and how messages put it.
  bool (*matches)(std::string_view) = nullptr;
  std::string_view pattern = "";
};

struct IntRule {
  bool required = false;
  int64_t minimum = std::numeric_limits<int64_t>::min();
  int64_t maximum = std::numeric_limits<int64_t>::max();
};

// One value of an enum and how it is written.
template <typename E>
struct EnumName {
  E value;
  std::string_view name;
};

// Where decoders put what they find. Both outlive them; `source` may be null: places are not kept then.
struct DecodeContext {
  Report& report;
  Source* source = nullptr;
};

// A null counts as absent. Each reading call returns true if the field is there and sound; otherwise `out`
// keeps its value (or gets the default).
class ObjectDecoder {
 public:
  // `path` is the map's own within its object; empty for the object. A node that is no map is reported here
  // and has no fields.
  ObjectDecoder(const YamlNode& node, std::string path, DecodeContext context);

  bool String(std::string_view name, std::string* out, const StringRule& rule = {});
  bool Int(std::string_view name, int64_t* out, const IntRule& rule = {});
  bool Bool(std::string_view name, bool* out);
  bool StringList(std::string_view name, std::vector<std::string>* out);
  bool StringMap(std::string_view name, api::StringMap* out);
  // A map of lists of strings.
  bool StringListMap(std::string_view name, std::map<std::string, std::vector<std::string>>* out);

  template <typename E>
  bool Enum(std::string_view name, absl::Span<const EnumName<E>> names, E* out, const StringRule& rule = {}) {
    std::vector<std::string_view> texts;
    for (const EnumName<E>& one : names) texts.push_back(one.name);
    const int index = EnumIndex(name, texts, rule);
    if (index >= 0) *out = names[index].value;
    return index >= 0;
  }

  // The value of a field of any type for the caller to read on; null when absent.
  const YamlNode* Child(std::string_view name, bool required = kOptional);
  // The fields are known and nothing looks at them.
  void Ignore(absl::Span<const std::string_view> names);
  // To be called last: every field that no call has named is an error.
  void Finish();

  bool Has(std::string_view name) const { return Find(name) != nullptr; }
  // Place of the field, or of the map.
  Position At(std::string_view name) const;
  // "spec.delay" + "latency".
  std::string PathOf(std::string_view name) const;
  const std::string& path() const { return path_; }
  DecodeContext context() const { return context_; }

  void Error(std::string_view name, std::string_view message);

 private:
  const YamlEntry* Find(std::string_view name) const;
  // The value of a field that is there and of this kind.
  const YamlNode* Value(std::string_view name, YamlNode::Kind kind, bool required);
  int EnumIndex(std::string_view name, absl::Span<const std::string_view> texts, const StringRule& rule);
  void WrongType(const YamlNode& node, std::string_view path, YamlNode::Kind wanted);
  bool ReadStrings(const YamlNode& list, const std::string& path, std::vector<std::string>* out);

  const YamlNode* node_;  // null: it is no map
  std::string path_;
  DecodeContext context_;
  std::vector<std::string_view> known_;  // in the order of the calls
};

}  // namespace sabot::api

#endif  // SABOT_CONTROLLER_API_DECODER_H_
