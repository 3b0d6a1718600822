// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sabot_cli.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_join.h"
#include "tests/support/require.h"

namespace sabot::test {
namespace {

std::filesystem::path Here() { return std::filesystem::read_symlink("/proc/self/exe").parent_path(); }

}  // namespace

std::string SabotBinary() {
  const char* given = std::getenv("SABOT_BIN");
  return given != nullptr ? std::string(given) : (Here() / "sabot").string();
}

std::string AgentBinary() {
  return (std::filesystem::path(SabotBinary()).parent_path() / "sabot-agent").string();
}

std::string JailBinary() { return (Here() / "sabot-test-jail").string(); }

SabotCli::SabotCli() : state_dir_(state_.path() + "/state") {
  // Open to all, so that a run without root fails for want of root and not of this directory.
  ::chmod(files_.path().c_str(), 0755);
  ::chmod(state_.path().c_str(), 0777);
}

Command SabotCli::Make(std::vector<std::string> args, std::vector<std::string> jail) const {
  Command command;
  if (!jail.empty()) {
    command.argv = {JailBinary()};
    command.argv.insert(command.argv.end(), jail.begin(), jail.end());
    command.argv.emplace_back("--");
  }
  command.argv.push_back(SabotBinary());
  command.argv.insert(command.argv.end(), args.begin(), args.end());
  command.env = {{"SABOT_STATE_DIR", state_dir_}};
  return command;
}

Finished SabotCli::Run(std::vector<std::string> args, absl::Duration timeout) const {
  return RunCommand(Make(std::move(args)), timeout);
}

nlohmann::json SabotCli::Json(std::vector<std::string> args) const {
  args.insert(args.end(), {"-o", "json"});
  Finished finished = Run(args);
  std::string what = "sabot " + absl::StrJoin(args, " ");
  Require(finished.exit_code == 0,
          what + " exits with " + std::to_string(finished.exit_code) + ": " + finished.err);
  nlohmann::json value = nlohmann::json::parse(finished.out, nullptr, /*allow_exceptions=*/false);
  Require(!value.is_discarded(), what + " does not print JSON: " + finished.out);
  return value;
}

}  // namespace sabot::test
