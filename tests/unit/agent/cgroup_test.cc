// SPDX-License-Identifier: Apache-2.0
#include "agent/cgroup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "agent/process.h"
#include "tests/unit/agent/child.h"
#include "tests/unit/agent/world.h"

namespace sabot::agent {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// Mounts, as the machines of this world show them.

TEST(CgroupMounts, PlainV2) {
  CgroupMounts mounts = CgroupMounts::Parse(
      "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
      "30 22 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 "
      "rw,nsdelegate\n");
  EXPECT_EQ(mounts.unified(), "/sys/fs/cgroup");
  EXPECT_EQ(mounts.systemd_v1(), "");
}

TEST(CgroupMounts, Hybrid) {
  CgroupMounts mounts = CgroupMounts::Parse(
      "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
      "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
      "40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd\n"
      "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n");
  EXPECT_EQ(mounts.unified(), "/sys/fs/cgroup/unified");
  EXPECT_EQ(mounts.systemd_v1(), "/sys/fs/cgroup/systemd");
}

TEST(CgroupMounts, OnlyV1) {
  CgroupMounts mounts = CgroupMounts::Parse("32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n");
  EXPECT_EQ(mounts.unified(), "");
  EXPECT_EQ(mounts.Open("x").status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(CgroupMounts, OfTheWholeTreeBeatsThatOfAPart) {
  CgroupMounts mounts = CgroupMounts::Parse(
      "30 22 0:26 /kubepods/agent /sys/fs/cgroup rw - cgroup2 cgroup rw\n"
      "31 22 0:26 / /host/sys/fs/cgroup rw - cgroup2 cgroup rw\n");
  EXPECT_EQ(mounts.unified(), "/host/sys/fs/cgroup");
}

TEST(CgroupMounts, WithSpacesInTheirNames) {
  CgroupMounts mounts = CgroupMounts::Parse("30 22 0:26 / /my\\040cgroups\\134 rw - cgroup2 cgroup rw\n");
  EXPECT_EQ(mounts.unified(), "/my cgroups\\");
}

TEST(CgroupMounts, IgnoreLinesThatAreNone) {
  for (const char* line : {"", "\n\n", "a b c d e f g", "1 2 3 4 5 6 -", "1 2 3 4 5 6 - cgroup2",
                           "- - - - - -", "30 22 0:26 / /x\\04 rw -"}) {
    EXPECT_EQ(CgroupMounts::Parse(line).unified(), "") << line;
  }
}

// Real groups.

class CgroupTest : public testing::Test {
 protected:
  void SetUp() override {
    if (getuid() != 0) GTEST_SKIP() << "needs root to make control groups";
    if (mounts_.unified().empty()) GTEST_SKIP() << "cgroup v2 is not mounted";
  }
  std::filesystem::path Path(const std::string& name) const {
    return mounts_.unified() / ("sabot-test-" + std::to_string(getpid())) / name;
  }

  CgroupMounts mounts_ = CgroupMounts::Find().value();
};

TEST_F(CgroupTest, IsOpenedByBothKindsOfName) {
  TestCgroup group(Path("a"));
  struct stat info {};
  ASSERT_EQ(::stat(group.path().c_str(), &info), 0);
  auto absolute = mounts_.Open(group.path().native());
  ASSERT_TRUE(absolute.ok()) << absolute.status();
  EXPECT_EQ(absolute->id, info.st_ino);
  EXPECT_EQ(absolute->path, group.path());
  EXPECT_EQ(mounts_.Open(group.path().lexically_relative(mounts_.unified()).native()).value(), *absolute);
  EXPECT_EQ(mounts_.Open(group.path().native() + "//").value(), *absolute);
}

TEST_F(CgroupTest, ThatIsNotThereIsNotFound) {
  absl::Status status = mounts_.Open("sabot-no-such-group").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(status.message(), "no cgroup " + (mounts_.unified() / "sabot-no-such-group").native());
}

TEST_F(CgroupTest, OutsideOfTheTreeIsRefused) {
  for (const char* name : {"", "/etc", "../..", "a/../../..", "/sys/fs/cgroup/../..", "/proc/self"}) {
    EXPECT_EQ(mounts_.Open(name).status().code(), absl::StatusCode::kInvalidArgument) << name;
  }
  EXPECT_EQ(mounts_.Open(std::string("a\0b", 3)).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(mounts_.Open("cgroup.procs").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(CgroupTest, OfAProcessIsFound) {
  TestCgroup group(Path("a/b"));
  Child child([&] { return group.Join(); });
  ASSERT_GT(child.pid(), 0);
  EXPECT_EQ(mounts_.OfProcess(child.pid()).value().path, group.path());
  const pid_t dead = child.pid();
  child.Kill();
  EXPECT_EQ(mounts_.OfProcess(dead).status().message(), "no process " + std::to_string(dead));
}

TEST_F(CgroupTest, MembersAreThoseBelowToo) {
  TestCgroup outer(Path("a")), inner(Path("a/b/c"));
  Child first([&] { return outer.Join(); }), second([&] { return inner.Join(); });
  EXPECT_THAT(MembersOf(outer.path()).value(), UnorderedElementsAre(first.pid(), second.pid()));
  EXPECT_THAT(MembersOf(inner.path()).value(), ElementsAre(second.pid()));
}

TEST_F(CgroupTest, MembersInV1AreFoundToo) {
  if (mounts_.systemd_v1().empty()) GTEST_SKIP() << "no v1 name=systemd hierarchy here";
  TestCgroup group(mounts_.systemd_v1() / ("sabot-test-" + std::to_string(getpid())) / "v1");
  Child child([&] { return group.Join(); });
  EXPECT_THAT(MembersOf(group.path()).value(), ElementsAre(child.pid()));
}

TEST_F(CgroupTest, WithoutProcessesHasNoMembers) {
  TestCgroup group(Path("a"));
  EXPECT_THAT(MembersOf(group.path()).value(), IsEmpty());
  EXPECT_EQ(MembersOf(group.path() / "none").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(CgroupTest, IsExclusiveWhenAllLiveInTheNamespace) {
  TestCgroup group(Path("a"));
  Child child([&] { return group.Join() && ::unshare(CLONE_NEWNET) == 0; });
  const uint64_t inode = NetnsInodeOf(child.pid()).value();
  auto alone = ExclusiveTo(group.path(), inode);
  EXPECT_TRUE(alone->exclusive());
  EXPECT_EQ(alone->members, 1u);

  Child stranger([&] { return group.Join(); });
  auto shared = ExclusiveTo(group.path(), inode);
  EXPECT_FALSE(shared->exclusive());
  EXPECT_EQ(shared->members, 2u);
  EXPECT_THAT(shared->StrangerNames(), HasSubstr(std::to_string(stranger.pid()) + " (agent_"));
}

TEST(NameProcesses, NamesAFewAndCountsTheRest) {
  std::vector<MemberNetns> five(5, MemberNetns{.pid = 7, .command = "sh", .netns_inode = 1});
  EXPECT_EQ(NameProcesses(five), "7 (sh), 7 (sh), 7 (sh) and 2 more");
  EXPECT_EQ(NameProcesses({}), "");
}

}  // namespace
}  // namespace sabot::agent
