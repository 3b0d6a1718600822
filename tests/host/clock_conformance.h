// SPDX-License-Identifier: Apache-2.0
//
// The rows of the conformance table for clock faults: what must hold on every rung, measured inside the
// target's processes.
#ifndef SABOT_TESTS_HOST_CLOCK_CONFORMANCE_H_
#define SABOT_TESTS_HOST_CLOCK_CONFORMANCE_H_

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace sabot::test {

struct ClockProperty {
  const char* name;    // in test names
  const char* column;  // in the table
  void (*check)(const std::string& mechanism);
};
const std::vector<ClockProperty>& ClockProperties();

void RegisterClockTests();
// Puts the test into the report, if it is one of these.
void NoteClockTest(const testing::TestInfo& test);

}  // namespace sabot::test

#endif  // SABOT_TESTS_HOST_CLOCK_CONFORMANCE_H_
