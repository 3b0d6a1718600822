// SPDX-License-Identifier: Apache-2.0
//
// NetworkChaos manifests, as a user would write them.
#ifndef SABOT_TESTS_SUPPORT_MANIFEST_H_
#define SABOT_TESTS_SUPPORT_MANIFEST_H_

#include <string>
#include <vector>

namespace sabot::test {

struct NetworkChaos {
  std::string name = "experiment";
  std::string action = "loss";         // loss, duplicate, corrupt, delay, rate, partition
  std::string strength = "100";        // percent, latency ("50ms"), rate ("1mbit"); nothing for partition
  std::vector<std::string> more = {};  // of the action's block: "jitter: 10ms"
  std::string direction = "to";        // to, from, both
  std::vector<std::string> external_targets = {};
  std::string target_app = {};  // other end: what is labelled app=<this>
  std::string device = {};
  std::string duration = {};   // "2s"; empty: not in the manifest
  std::string app = "target";  // who is hit: what is labelled app=<this>

  std::string Yaml() const;
};

// The values of `--target`: default/<name> by that kind of thing, labelled app=<name>.
std::string TargetByNetns(const std::string& name, const std::string& path);
std::string TargetByCgroup(const std::string& name, const std::string& path);
std::string TargetByPid(const std::string& name, int pid);

}  // namespace sabot::test

#endif  // SABOT_TESTS_SUPPORT_MANIFEST_H_
