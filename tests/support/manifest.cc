// SPDX-License-Identifier: Apache-2.0
#include "tests/support/manifest.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace sabot::test {
namespace {

std::string Selector(const std::string& app, const std::string& indent) {
  return absl::StrCat(indent, "mode: all\n", indent, "selector:\n", indent, "  namespaces: [default]\n",
                      indent, "  labelSelectors:\n", indent, "    app: ", app, "\n");
}

}  // namespace

std::string NetworkChaos::Yaml() const {
  std::string yaml = absl::StrCat(
      "apiVersion: chaos-mesh.org/v1alpha1\n"
      "kind: NetworkChaos\n"
      "metadata:\n"
      "  name: ",
      name,
      "\n"
      "  namespace: default\n"
      "spec:\n"
      "  action: ",
      action == "rate" ? "netem" : action, "\n", Selector(app, "  "), "  direction: ", direction, "\n");
  if (action != "partition") {
    const std::string field = action == "delay" ? "latency" : action;
    absl::StrAppend(&yaml, "  ", action, ":\n    ", field, ": \"", strength, "\"\n");
    for (const std::string& line : more) absl::StrAppend(&yaml, "    ", line, "\n");
  }
  if (!external_targets.empty()) {
    absl::StrAppend(&yaml, "  externalTargets:\n    - \"", absl::StrJoin(external_targets, "\"\n    - \""),
                    "\"\n");
  }
  if (!target_app.empty()) absl::StrAppend(&yaml, "  target:\n", Selector(target_app, "    "));
  if (!device.empty()) absl::StrAppend(&yaml, "  device: ", device, "\n");
  if (!duration.empty()) absl::StrAppend(&yaml, "  duration: ", duration, "\n");
  return yaml;
}

std::string TargetByNetns(const std::string& name, const std::string& path) {
  return absl::StrCat("default/", name, "=netns:", path, ",app=", name);
}

std::string TargetByCgroup(const std::string& name, const std::string& path) {
  return absl::StrCat("default/", name, "=cgroup:", path, ",app=", name);
}

std::string TargetByPid(const std::string& name, int pid) {
  return absl::StrCat("default/", name, "=pid:", pid, ",app=", name);
}

}  // namespace sabot::test
