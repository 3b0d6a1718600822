// SPDX-License-Identifier: Apache-2.0
//
// The conformance table's rows of system call faults: each mechanism, measured from inside a target process.
#ifndef SABOT_TESTS_HOST_SYSCALL_ROWS_H_
#define SABOT_TESTS_HOST_SYSCALL_ROWS_H_

#include "gtest/gtest.h"

namespace sabot::test {

// "Syscall/Error", "<mechanism>.<property>".
void RegisterSyscallTests();
// Fills the report; other tests are ignored.
void NoteSyscallTest(const testing::TestInfo& test);

}  // namespace sabot::test

#endif  // SABOT_TESTS_HOST_SYSCALL_ROWS_H_
