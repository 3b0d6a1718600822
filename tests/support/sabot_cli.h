// SPDX-License-Identifier: Apache-2.0
//
// The shipped binaries, driven by their command line, with a state directory of the test's own.
#ifndef SABOT_TESTS_SUPPORT_SABOT_CLI_H_
#define SABOT_TESTS_SUPPORT_SABOT_CLI_H_

#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "tests/support/subprocess.h"
#include "tests/support/temp_dir.h"

namespace sabot::test {

// $SABOT_BIN, or `sabot` beside the test binary. The others lie beside it.
std::string SabotBinary();
std::string AgentBinary();
// sabot-test-jail, beside the test binary.
std::string JailBinary();

class SabotCli {
 public:
  SabotCli();

  const std::string& state_dir() const { return state_dir_; }
  // For manifests; another directory than the state's.
  const TempDir& files() const { return files_; }

  // The command `sabot ARGS...` with this state directory; `jail` are options of sabot-test-jail.
  Command Make(std::vector<std::string> args, std::vector<std::string> jail = {}) const;
  Finished Run(std::vector<std::string> args, absl::Duration timeout = absl::Seconds(20)) const;
  // `sabot ARGS... -o json`, parsed; ArrangementFailed unless it exits with 0 and prints one JSON value.
  nlohmann::json Json(std::vector<std::string> args) const;

 private:
  TempDir files_;
  TempDir state_;
  std::string state_dir_;
};

}  // namespace sabot::test

#endif  // SABOT_TESTS_SUPPORT_SABOT_CLI_H_
