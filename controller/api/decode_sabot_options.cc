// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "absl/strings/ascii.h"
#include "controller/api/decode.h"
#include "controller/api/str_cat.h"

namespace sabot::api {
namespace {

constexpr EnumName<MinimumFidelity> kFidelities[] = {
    {MinimumFidelity::kDegraded, "degraded"},
    {MinimumFidelity::kExact, "exact"},
};

bool IsRungName(std::string_view text) {
  if (text.empty() || text.size() > 64) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_' || c == '-';
  });
}

// A name, or a list of at least one.
std::vector<std::string> DecodeMechanism(ObjectDecoder& sabot) {
  constexpr std::string_view kName = "mechanism";
  std::vector<std::string> names;
  const YamlNode* node = sabot.Child(kName);
  if (node == nullptr) return names;
  if (node->kind == YamlNode::Kind::kString) {
    names.push_back(node->text);
  } else if (node->kind == YamlNode::Kind::kList) {
    if (!sabot.StringList(kName, &names)) return {};
    // An empty list would read as "none" and mean "any".
    if (names.empty()) sabot.Error(kName, "must name at least one mechanism");
  } else {
    sabot.Error(kName, StrCat("must be a string or a list of strings, got ", KindName(node->kind)));
  }
  for (const std::string& name : names) {
    if (!IsRungName(name)) sabot.Error(kName, StrCat(Quoted(name), " is no name of a mechanism"));
  }
  return names;
}

}  // namespace

SabotOptions DecodeSabotOptions(ObjectDecoder& spec, const std::function<void(ObjectDecoder&)>& more) {
  SabotOptions options;
  const YamlNode* node = spec.Child("sabot");
  if (node == nullptr) return options;
  ObjectDecoder sabot(*node, spec.PathOf("sabot"), spec.context());
  options.mechanism = DecodeMechanism(sabot);
  sabot.Enum<MinimumFidelity>("fidelity", kFidelities, &options.fidelity);
  int64_t max_targets = 0;
  if (sabot.Int("maxTargets", &max_targets, {.minimum = 1})) options.max_targets = max_targets;
  if (more) more(sabot);
  sabot.Finish();
  return options;
}

}  // namespace sabot::api
