// SPDX-License-Identifier: Apache-2.0
//
// What the command-line tests share: a network, a good manifest, and the check that nothing was touched.
#ifndef SABOT_TESTS_HOST_CLI_FIXTURE_H_
#define SABOT_TESTS_HOST_CLI_FIXTURE_H_

#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/host_snapshot.h"
#include "tests/support/manifest.h"
#include "tests/support/network.h"
#include "tests/support/sabot_cli.h"
#include "tests/support/sabot_run.h"

namespace sabot::test {

class CliTest : public testing::Test {
 protected:
  // Every test of the command line ends with the host as it was: bad input touches nothing, good input is
  // undone.
  void TearDown() override;

  // A loss of 100 % from the target to the peer, for a minute; a whole file, and its path.
  NetworkChaos Chaos() const;
  std::string GoodFile() const { return Write("good.yaml", Chaos().Yaml()); }
  std::string Write(const std::string& name, const std::string& content) const {
    return cli_.files().Write(name, content);
  }
  std::string Target() const { return TargetByNetns("target", network_.target.netns_path()); }
  // `sabot run FILE --target <the target> ...` to its end.
  Finished RunFile(const std::string& path, std::vector<std::string> more = {},
                   std::vector<std::string> jail = {});
  // A live run of the good manifest.
  std::unique_ptr<SabotRun> StartGood(std::vector<std::string> more = {});
  // The first rung of the loss ladder that this kernel has.
  std::string BestRungForLoss() const;
  // Can the peer be reached?
  bool PeerAnswers();

  SabotCli cli_;
  TestNetwork network_;
  SnapshotScope scope_{network_.All(), cli_.state_dir()};
  HostSnapshot before_ = HostSnapshot::Take(scope_);
};

// Exit code `code`, not a crash or a hang, and a message on standard error that has each of these words in
// it.
void ExpectRefusal(const Finished& finished, int code, const std::vector<std::string>& words);

// Escape sequences of any kind, and those that make colour or weight.
bool HasControlSequences(const std::string& text);
bool HasColour(const std::string& text);

}  // namespace sabot::test

#endif  // SABOT_TESTS_HOST_CLI_FIXTURE_H_
