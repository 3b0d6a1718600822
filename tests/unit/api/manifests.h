// SPDX-License-Identifier: Apache-2.0
//
// Manifests for tests, and what comes out of them.
#ifndef SABOT_TESTS_UNIT_API_MANIFESTS_H_
#define SABOT_TESTS_UNIT_API_MANIFESTS_H_

#include <string>
#include <string_view>
#include <vector>

#include "controller/api/manifest.h"
#include "controller/api/str_cat.h"

namespace sabot::api {

// A NetworkChaos that is in order, with these lines of YAML in its spec as well (flow style or indented by
// two). Lines that start with "-" take the field of that name out instead: "-mode".
inline std::string NetworkChaosWith(std::string_view lines) {
  std::string fields[] = {"  action: delay\n", "  mode: all\n", "  selector: {labelSelectors: {app: web}}\n",
                          "  delay: {latency: 10ms}\n"};
  std::string spec;
  std::string added;
  std::string_view rest = lines;
  std::vector<std::string> gone;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    const std::string line(rest.substr(0, end));
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    if (line.starts_with("-")) {
      gone.push_back(line.substr(1));
    } else {
      StrAppend(added, "  ", line, "\n");
      // A field that is given replaces the one that is there.
      gone.push_back(line.substr(0, line.find(':')));
    }
  }
  for (const std::string& field : fields) {
    bool keep = true;
    for (const std::string& name : gone) keep = keep && !field.starts_with(StrCat("  ", name, ":"));
    if (keep) spec += field;
  }
  return StrCat(
      "apiVersion: chaos-mesh.org/v1alpha1\nkind: NetworkChaos\nmetadata: {name: test, namespace: demo}\n",
      "spec:\n", spec, added);
}

// "spec.delay.latency: message" for each problem of this severity.
inline std::vector<std::string> ProblemsOf(const Manifests& manifests, Severity severity) {
  std::vector<std::string> texts;
  for (const Problem& problem : manifests.problems) {
    if (problem.severity != severity) continue;
    texts.push_back(problem.field.empty() ? problem.message : StrCat(problem.field, ": ", problem.message));
  }
  return texts;
}

inline std::vector<std::string> ErrorsOf(std::string_view yaml) {
  return ProblemsOf(ParseManifests(yaml, "test.yaml"), Severity::kError);
}

inline std::vector<std::string> WarningsOf(std::string_view yaml) {
  return ProblemsOf(ParseManifests(yaml, "test.yaml"), Severity::kWarning);
}

// The spec of the first object; a default one when there is none.
inline NetworkChaosSpec SpecOf(std::string_view yaml) {
  const Manifests manifests = ParseManifests(yaml, "test.yaml");
  return manifests.experiments.empty() ? NetworkChaosSpec()
                                       : std::get<NetworkChaosSpec>(manifests.experiments.front().spec);
}

}  // namespace sabot::api

#endif  // SABOT_TESTS_UNIT_API_MANIFESTS_H_
