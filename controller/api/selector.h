// SPDX-License-Identifier: Apache-2.0
//
// Which pods an experiment is about: the parts that all pod experiments share. Plain values.
#ifndef SABOT_CONTROLLER_API_SELECTOR_H_
#define SABOT_CONTROLLER_API_SELECTOR_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "controller/api/metadata.h"

namespace sabot::api {

// One of `expressionSelectors`. The operator is kept as written: admission accepts any, selection does not.
struct LabelRequirement {
  std::string key;
  std::string op;  // "In", "NotIn", "Exists", "DoesNotExist"
  std::vector<std::string> values;
};

// All that is given must hold. `pods`, when not empty, overrides everything else.
struct PodSelectorSpec {
  std::vector<std::string> namespaces;  // defaulted to the namespace of the experiment
  StringMap label_selectors;
  std::vector<LabelRequirement> expression_selectors;
  StringMap annotation_selectors;
  StringMap field_selectors;
  std::vector<std::string> nodes;  // together with node_selectors: the pod is on one of the nodes of either
  StringMap node_selectors;
  std::vector<std::string> pod_phase_selectors;          // "Running", "!Failed"
  std::map<std::string, std::vector<std::string>> pods;  // namespace → names
};

// How many of the selected pods are taken.
enum class Mode { kOne, kAll, kFixed, kFixedPercent, kRandomMaxPercent };

// "one", "all", "fixed", "fixed-percent", "random-max-percent".
std::string_view ModeName(Mode mode);

struct PodSelector {
  PodSelectorSpec selector;
  Mode mode = Mode::kAll;
  std::string value;  // a number for the modes that need one; validated
};

}  // namespace sabot::api

#endif  // SABOT_CONTROLLER_API_SELECTOR_H_
