// SPDX-License-Identifier: Apache-2.0
//
// The command line as scripts and newcomers meet it: bad input, poor machines, and the ordinary. Drives the
// shipped binary ($SABOT_BIN, or `sabot` beside this one).
#include <unistd.h>

#include <cstdio>

#include "gtest/gtest.h"
#include "tests/support/sabot_cli.h"
#include "tests/support/subprocess.h"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  sabot::test::AdoptOrphans();
  if (::access(sabot::test::SabotBinary().c_str(), X_OK) != 0 && !testing::GTEST_FLAG(list_tests)) {
    std::fprintf(stderr, "cli_test: there is no binary at %s; build it or set SABOT_BIN\n",
                 sabot::test::SabotBinary().c_str());
    return 2;
  }
  return RUN_ALL_TESTS();
}
