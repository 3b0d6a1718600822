// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the loader share: a namespace of their own, and iproute2 as the second opinion.
#ifndef SABOT_TESTS_UNIT_LOADER_TESTBED_H_
#define SABOT_TESTS_UNIT_LOADER_TESTBED_H_

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "loader/netlink.h"
#include "loader/netns.h"

namespace sabot::loader {

struct Outcome {
  int exit_code = -1;
  std::string output;  // standard output and standard error
};
// Runs a shell command inside the namespace.
Outcome RunIn(const Netns& netns, const std::string& command);
// Runs a command that prints JSON; a test failure, and null, if it does not.
nlohmann::json JsonIn(const Netns& netns, const std::string& command);

// The open descriptors of this process, as "number -> target".
std::set<std::string> OpenDescriptors();

// A test with a namespace of its own; it goes when the test ends. The test's thread stays in the machine's.
class NetnsTest : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  const Netns& netns() const { return *netns_; }
  Netlink& netlink() { return *netlink_; }
  std::shared_ptr<Netlink> shared_netlink() { return netlink_; }
  // A veth pair "a" and "b", both in the namespace; returns the ifindex of "a".
  int MakeVeth();

  Outcome Run(const std::string& command) { return RunIn(netns(), command); }
  nlohmann::json Json(const std::string& command) { return JsonIn(netns(), command); }

 private:
  uint64_t home_ = 0;
  std::unique_ptr<Netns> netns_;
  std::shared_ptr<Netlink> netlink_;
};

}  // namespace sabot::loader

// For absl::Status and absl::StatusOr: the message is shown when it fails.
#define SABOT_STATUS_OF_(expr)                                                    \
  ([](const auto& result) -> absl::Status {                                       \
    if constexpr (std::is_same_v<std::decay_t<decltype(result)>, absl::Status>) { \
      return result;                                                              \
    } else {                                                                      \
      return result.status();                                                     \
    }                                                                             \
  }(expr))
#define ASSERT_OK(expr)                                            \
  do {                                                             \
    const absl::Status sabot_test_status = SABOT_STATUS_OF_(expr); \
    ASSERT_TRUE(sabot_test_status.ok()) << sabot_test_status;      \
  } while (0)
#define EXPECT_OK(expr)                                            \
  do {                                                             \
    const absl::Status sabot_test_status = SABOT_STATUS_OF_(expr); \
    EXPECT_TRUE(sabot_test_status.ok()) << sabot_test_status;      \
  } while (0)

#endif  // SABOT_TESTS_UNIT_LOADER_TESTBED_H_
