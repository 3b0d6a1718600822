// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "absl/strings/ascii.h"
#include "controller/crd/crd.h"

namespace sabot::crd {
namespace {

using nlohmann::json;

// A word that no reader of YAML takes for anything but text needs no quotes.
bool IsPlain(std::string_view text) {
  if (text.size() < 3 || !absl::ascii_isalpha(text.front())) return false;
  for (std::string_view word :
       {"true", "True", "false", "False", "yes", "Yes", "off", "Off", "null", "Null"}) {
    if (text == word) return false;
  }
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(c) || std::string_view("_-./").find(c) != std::string_view::npos;
  });
}

// JSON's quotes mean the same in YAML.
std::string Scalar(const json& value) {
  if (value.is_string() && IsPlain(value.get_ref<const std::string&>())) return value.get<std::string>();
  return value.dump();
}

// A small map or list of scalars fits on a line.
std::string Flow(const json& value) {
  constexpr size_t kMaxFlow = 3;
  if (!value.is_structured()) return Scalar(value);
  if (value.size() > kMaxFlow && value.is_object()) return "";
  std::string text;
  for (const auto& [key, child] : value.items()) {
    if (child.is_structured() && !child.empty()) return "";
    text += text.empty() ? "" : ", ";
    if (value.is_object()) text += Scalar(json(key)) + ": ";
    text += Scalar(child);
  }
  if (text.size() > 60) return "";
  return value.is_object() ? "{" + text + "}" : "[" + text + "]";
}

void Write(const json& value, size_t indent, std::string& out);

// What stands behind "key:" or "-".
void WriteNested(const json& value, size_t indent, bool in_list, std::string& out) {
  if (const std::string flow = Flow(value); !flow.empty()) {
    out += " " + flow + "\n";
  } else if (in_list) {
    // The first line of the element stands behind its dash.
    std::string inner;
    Write(value, indent, inner);
    out += " " + inner.substr(indent);
  } else {
    out += "\n";
    Write(value, indent, out);
  }
}

void Write(const json& value, size_t indent, std::string& out) {
  const std::string margin(indent, ' ');
  if (value.is_array()) {
    for (const json& element : value) {
      out += margin + "-";
      WriteNested(element, indent + 2, true, out);
    }
    return;
  }
  for (const auto& [key, child] : value.items()) {
    out += margin + Scalar(json(key)) + ":";
    WriteNested(child, indent + 2, false, out);
  }
}

}  // namespace

std::string ToYaml(const json& value) {
  std::string out;
  Write(value, 0, out);
  return out;
}

}  // namespace sabot::crd
