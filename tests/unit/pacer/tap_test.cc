// SPDX-License-Identifier: Apache-2.0
#include "agent/pacer/tap.h"

#include <gtest/gtest.h>
#include <net/if.h>
#include <poll.h>

#include "tests/unit/pacer/lab.h"

namespace sabot::pacer {
namespace {

class TapTest : public testing::Test {
 protected:
  void SetUp() override {
    if (std::string why = WhyNoLab(); !why.empty()) GTEST_SKIP() << why;
  }
};

TEST_F(TapTest, IsUpAndQuiet) {
  Namespace place;
  place.Run([&] {
    absl::StatusOr<Tap> tap = Tap::Create();
    ASSERT_TRUE(tap.ok()) << tap.status();
    EXPECT_EQ(tap->name(), "sabot0");
    EXPECT_EQ(if_nametoindex("sabot0"), static_cast<unsigned>(tap->ifindex()));
    EXPECT_TRUE(place.Shell("ip link show sabot0 | grep -q 'NOARP.*UP.*mtu 65521.*qlen 10000'"));
    EXPECT_FALSE(place.Shell("ip address show sabot0 | grep -q inet"));
    pollfd poller = {.fd = tap->fd(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(poll(&poller, 1, 1500), 0) << "the device sent something on its own";
  });
}

TEST_F(TapTest, GoesWithItsDescriptor) {
  Namespace place;
  place.Run([&] {
    absl::StatusOr<Tap> first = Tap::Create();
    absl::StatusOr<Tap> second = Tap::Create();
    ASSERT_TRUE(first.ok() && second.ok());
    EXPECT_NE(first->name(), second->name());
    first->CloseFd();
    EXPECT_EQ(if_nametoindex(first->name().c_str()), 0u);
    EXPECT_NE(if_nametoindex(second->name().c_str()), 0u);
  });
}

TEST_F(TapTest, SaysWhatCannotBeMade) {
  Namespace place;
  place.Run([&] {
    EXPECT_FALSE(Tap::Create("a-name-that-is-too-long").ok());
    absl::Status status = Tap::Create("lo").status();
    EXPECT_NE(status.message().find("lo"), absl::string_view::npos) << status;
  });
}

}  // namespace
}  // namespace sabot::pacer
