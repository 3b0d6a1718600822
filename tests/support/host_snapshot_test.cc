// SPDX-License-Identifier: Apache-2.0
//
// Does the snapshot find what is left behind? Each test leaves one kind of thing and looks for it; and lets
// things of others come and go, which must not be found.
#include "tests/support/host_snapshot.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/bpf_yardstick.h"
#include "tests/support/network.h"
#include "tests/support/subprocess.h"
#include "tests/support/temp_dir.h"

namespace sabot::test {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class Snapshot : public testing::Test {
 protected:
  std::vector<std::string> Difference() { return HostSnapshot::Take(scope_).DifferenceFrom(before_); }

  TestNetwork network_{Resident::Cgroup::kOwn};
  TempDir state_;
  SnapshotScope scope_{network_.All(), state_.path()};
  HostSnapshot before_ = HostSnapshot::Take(scope_);
};

TEST_F(Snapshot, OfAnUntouchedHostIsEqualAndNotEmpty) {
  EXPECT_GT(before_.lines().size(), 100U);
  EXPECT_THAT(Difference(), IsEmpty());
}

TEST_F(Snapshot, FindsAQdisc) {
  network_.target.Run({"tc", "qdisc", "add", "dev", "eth0", "clsact"});
  EXPECT_THAT(Difference(), Contains(HasSubstr("+ target qdisc clsact of eth0")));
}

TEST_F(Snapshot, FindsAFilterInAQdiscThatWasThere) {
  AttachClsactEgress(network_.target, "eth0", LoadDropper(DropperKind::kTc, 0).get());
  before_ = HostSnapshot::Take(scope_);
  AttachClsactEgress(network_.target, "eth0", LoadDropper(DropperKind::kTc, 0).get());
  EXPECT_THAT(Difference(), Contains(HasSubstr("+ target filter bpf of eth0")));
}

TEST_F(Snapshot, FindsATcxProgram) {
  auto program = LoadDropper(DropperKind::kTc, 0);
  auto link = AttachTcxEgress(network_.target, "eth0", program.get());
  EXPECT_THAT(Difference(), Contains(HasSubstr("+ target tcx egress of eth0: prog")));
  link.Reset();
  EXPECT_THAT(DifferenceSince(before_, scope_), IsEmpty());
}

TEST_F(Snapshot, FindsACgroupProgramAndASubgroup) {
  auto program = LoadDropper(DropperKind::kCgroup, 0);
  auto link = AttachCgroupEgress(network_.peer.cgroup(), program.get());
  EXPECT_THAT(Difference(), Contains(HasSubstr("+ peer cgroup program")));
  link.Reset();
  std::string child = network_.target.cgroup() + "/left";
  ASSERT_EQ(::mkdir(child.c_str(), 0755), 0);
  EXPECT_THAT(Difference(), Contains("+ cgroup " + child));
  ::rmdir(child.c_str());
}

TEST_F(Snapshot, FindsADeviceAnAddressARouteARuleAndASysctl) {
  network_.target.Run({"ip", "link", "add", "left0", "type", "veth", "peer", "name", "left1"});
  EXPECT_THAT(Difference(), Contains(HasSubstr("+ target link left0")));
  network_.target.Run({"ip", "link", "del", "left0"});
  EXPECT_THAT(DifferenceSince(before_, scope_), IsEmpty());
  network_.peer.Run({"ip", "addr", "add", "10.77.2.9/32", "dev", "eth0"});
  network_.peer.Run({"ip", "-6", "route", "add", "fd00:99::/64", "dev", "eth0"});
  network_.peer.Run({"ip", "-6", "rule", "add", "fwmark", "7", "lookup", "100"});
  network_.target.Inside([] { std::ofstream("/proc/sys/net/ipv4/conf/eth0/accept_local") << 1; });
  auto difference = Difference();
  EXPECT_THAT(difference, Contains(HasSubstr("+ peer address 10.77.2.9/32 of eth0")));
  EXPECT_THAT(difference, Contains(HasSubstr("+ peer route fd00:99::/64")));
  EXPECT_THAT(difference, Contains(HasSubstr("+ peer rule of family 10 table 100")));
  EXPECT_THAT(difference, Contains(HasSubstr("accept_local: 1")));
  EXPECT_THAT(difference, Contains(HasSubstr("- target sysctl"))) << "what was there before";
}

TEST_F(Snapshot, FindsACgroupNamedAfterTheProduct) {
  // The second of them after a process that is no more.
  for (const char* name : {"/sabot-left", "/sabot-probe-4194300-4194300"}) {
    std::string group = CgroupV2Mount() + name;
    ASSERT_EQ(::mkdir(group.c_str(), 0755), 0);
    EXPECT_THAT(Difference(), Contains("+ cgroup " + std::string(name + 1)));
    ::rmdir(group.c_str());
  }
}

TEST_F(Snapshot, FindsAStrayHelperHoweverItWasStarted) {
  Finished finished = RunCommand({.argv = {"sh", "-c", "setsid sleep 300 >/dev/null 2>&1 & echo $!"}});
  pid_t stray = std::atoi(finished.out.c_str());
  ASSERT_GT(stray, 0);
  EXPECT_THAT(Difference(), Contains(HasSubstr("+ stray process sleep")));
  ::kill(stray, SIGKILL);
  EXPECT_THAT(DifferenceSince(before_, scope_), IsEmpty());
}

TEST_F(Snapshot, FindsAStateFileAndAMount) {
  state_.Write("journal", "x");
  EXPECT_THAT(Difference(), Contains("+ state /journal"));
  std::string directory = state_.path() + "/mnt";
  ASSERT_EQ(::mkdir(directory.c_str(), 0755), 0);
  ASSERT_EQ(::mount("none", directory.c_str(), "tmpfs", 0, "size=4k"), 0);
  EXPECT_THAT(Difference(), Contains(HasSubstr("+ mount ")));
  ::umount(directory.c_str());
}

TEST_F(Snapshot, FindsABpfProgramThatNobodyHolds) {
  // A pin keeps it, on a file system that nobody looks at.
  TempDir elsewhere;
  ASSERT_EQ(::mount("none", elsewhere.path().c_str(), "bpf", 0, nullptr), 0);
  std::string pin = elsewhere.path() + "/pin";
  ASSERT_EQ(bpf_obj_pin(LoadDropper(DropperKind::kTc, 0, "left_behind").get(), pin.c_str()), 0);
  EXPECT_THAT(Difference(), Contains(HasSubstr("nothing holds: prog")));
  ::umount(elsewhere.path().c_str());
  EXPECT_THAT(DifferenceSince(before_, scope_), IsEmpty());
}

TEST_F(Snapshot, IgnoresWhatOthersDo) {
  auto held_by_a_process = LoadDropper(DropperKind::kTc, 0, "others");
  Resident elsewhere("elsewhere");
  elsewhere.Run({"ip", "link", "add", "d0", "type", "veth", "peer", "name", "d1"});
  AttachClsactEgress(elsewhere, "d0", LoadDropper(DropperKind::kTc, 0, "others_filter").get());
  const std::string others_groups[] = {
      CgroupV2Mount() + "/sabot-t999999999-target-1", CgroupV2Mount() + "/sabot-test-999999999",
      CgroupV2Mount() + "/sabot-probe-1-1", CgroupV2Mount() + "/sabot-words-a1B2c3"};
  for (const std::string& group : others_groups) ASSERT_EQ(::mkdir(group.c_str(), 0755), 0);
  TempDir others_files;
  std::string mount = others_files.path();
  ASSERT_EQ(::mount("none", mount.c_str(), "tmpfs", 0, "size=4k"), 0);
  Subprocess our_own({.argv = {"sleep", "60"}});
  Resident another("another");
  EXPECT_THAT(Difference(), IsEmpty());
  ::umount(mount.c_str());
  for (const std::string& group : others_groups) ::rmdir(group.c_str());
}

TEST(TestNetworkDeathTest, LeavesNothingWhenATestIsKilled) {
  // The namespace goes with its process; the process goes with the test.
  Resident resident("short-lived");
  std::string path = resident.netns_path();
  EXPECT_EQ(::access(path.c_str(), F_OK), 0);
  std::string group = TestNetwork(Resident::Cgroup::kOwn).target.cgroup();
  EXPECT_FALSE(std::filesystem::exists(group));
  resident.Kill();
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

}  // namespace
}  // namespace sabot::test
