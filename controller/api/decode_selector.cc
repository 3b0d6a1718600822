// SPDX-License-Identifier: Apache-2.0
#include "controller/api/decode.h"
#include "controller/api/str_cat.h"

namespace sabot::api {
namespace {

constexpr EnumName<Mode> kModes[] = {
    {Mode::kOne, "one"},
    {Mode::kAll, "all"},
    {Mode::kFixed, "fixed"},
    {Mode::kFixedPercent, "fixed-percent"},
    {Mode::kRandomMaxPercent, "random-max-percent"},
};

LabelRequirement DecodeRequirement(const YamlNode& node, std::string path, DecodeContext context) {
  LabelRequirement requirement;
  ObjectDecoder fields(node, std::move(path), context);
  fields.String("key", &requirement.key, {.required = true});
  fields.String("operator", &requirement.op, {.required = true});
  fields.StringList("values", &requirement.values);
  fields.Finish();
  return requirement;
}

std::vector<LabelRequirement> DecodeRequirements(ObjectDecoder& selector) {
  constexpr std::string_view kName = "expressionSelectors";
  std::vector<LabelRequirement> requirements;
  const YamlNode* list = selector.Child(kName);
  if (list == nullptr) return requirements;
  if (list->kind != YamlNode::Kind::kList) {
    selector.Error(kName, StrCat("must be a list, got ", KindName(list->kind)));
    return requirements;
  }
  for (size_t i = 0; i < list->children.size(); ++i) {
    requirements.push_back(DecodeRequirement(
        *list->children[i].value, StrCat(selector.PathOf(kName), "[", i, "]"), selector.context()));
  }
  return requirements;
}

PodSelectorSpec DecodeSelectorSpec(const YamlNode& node, std::string path, DecodeContext context) {
  PodSelectorSpec spec;
  ObjectDecoder fields(node, std::move(path), context);
  fields.StringList("namespaces", &spec.namespaces);
  fields.StringMap("labelSelectors", &spec.label_selectors);
  spec.expression_selectors = DecodeRequirements(fields);
  fields.StringMap("annotationSelectors", &spec.annotation_selectors);
  fields.StringMap("fieldSelectors", &spec.field_selectors);
  fields.StringList("nodes", &spec.nodes);
  fields.StringMap("nodeSelectors", &spec.node_selectors);
  fields.StringList("podPhaseSelectors", &spec.pod_phase_selectors);
  fields.StringListMap("pods", &spec.pods);
  fields.Finish();
  return spec;
}

}  // namespace

PodSelector DecodePodSelector(ObjectDecoder& object, const std::string& own_namespace) {
  PodSelector selector;
  if (const YamlNode* node = object.Child("selector", kRequired)) {
    selector.selector = DecodeSelectorSpec(*node, object.PathOf("selector"), object.context());
  }
  if (selector.selector.namespaces.empty()) selector.selector.namespaces = {own_namespace};
  object.Enum<Mode>("mode", kModes, &selector.mode, {.required = true});
  object.String("value", &selector.value);
  return selector;
}

}  // namespace sabot::api
