// SPDX-License-Identifier: Apache-2.0
//
// The commands of `sabot`. Each takes its parsed options and returns the process's exit code.
#ifndef SABOT_TOOLS_SABOT_COMMANDS_H_
#define SABOT_TOOLS_SABOT_COMMANDS_H_

#include <string>
#include <vector>

#include "tools/sabot/output.h"

namespace sabot::cli {

// What `run` and `plan` have in common.
struct ExperimentOptions {
  std::vector<std::string> files;
  std::vector<std::string> targets;      // --target
  std::string inventory;                 // --inventory
  std::string duration;                  // --duration, Go syntax
  std::vector<std::string> mechanisms;   // --mechanism FAMILY=RUNG
  std::vector<std::string> no_features;  // --no-feature
  std::vector<std::string> cri_sockets;  // --cri-socket
  bool allow_host_network = false;
  uint64_t seed = 0;  // of the random modes; 0: a random one
  std::string state_dir;
  std::string helper_path;
  Format format = Format::kTable;
};

struct RunOptions : ExperimentOptions {
  std::string metrics;  // ADDRESS:PORT
};

int Run(const RunOptions& options);
int Plan(const ExperimentOptions& options);
int Validate(const std::vector<std::string>& files, Format format);
int Doctor(const std::vector<std::string>& no_features, Format format);
int Status(const std::string& state_dir, Format format);
int Halt(const std::string& state_dir);
int Resume(const std::string& state_dir);
int Undo(const std::string& state_dir);
int Demo(const std::string& examples);

}  // namespace sabot::cli

#endif  // SABOT_TOOLS_SABOT_COMMANDS_H_
