// SPDX-License-Identifier: Apache-2.0
#include "gtest/gtest.h"
#include "tests/support/subprocess.h"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  sabot::test::AdoptOrphans();
  return RUN_ALL_TESTS();
}
