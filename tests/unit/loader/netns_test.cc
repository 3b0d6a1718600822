// SPDX-License-Identifier: Apache-2.0
#include "loader/netns.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "loader/clock.h"
#include "tests/unit/loader/testbed.h"

namespace sabot::loader {
namespace {

uint64_t InodeOf(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_ino : 0;
}

uint64_t SelfInode() { return InodeOf("/proc/thread-self/ns/net"); }

TEST(Netns, SelfIsWhatProcSays) {
  absl::StatusOr<Netns> self = Netns::OpenSelf();
  ASSERT_OK(self);
  EXPECT_EQ(self->inode(), SelfInode());
}

TEST(Netns, InitIsThatOfProcessOne) {
  absl::StatusOr<Netns> init = Netns::OpenInit();
  ASSERT_OK(init);
  absl::StatusOr<ScopedNetns> inside = ScopedNetns::Enter(*init);
  ASSERT_OK(inside);
  EXPECT_EQ(InodeOf("/proc/thread-self/net/dev"), InodeOf("/proc/1/net/dev"));
}

TEST(Netns, InitIsFoundFromElsewhere) {
  absl::StatusOr<Netns> direct = Netns::OpenInit();
  absl::StatusOr<Netns> made = Netns::Create();
  ASSERT_OK(direct);
  ASSERT_OK(made);
  absl::StatusOr<ScopedNetns> inside = ScopedNetns::Enter(*made);
  ASSERT_OK(inside);
  absl::StatusOr<Netns> init = Netns::OpenInit();
  ASSERT_OK(init);
  EXPECT_EQ(init->inode(), direct->inode());
  EXPECT_NE(init->inode(), made->inode());
}

TEST(Netns, CreateMakesANewOneAndStays) {
  uint64_t home = SelfInode();
  absl::StatusOr<Netns> made = Netns::Create();
  ASSERT_OK(made);
  EXPECT_NE(made->inode(), home);
  EXPECT_EQ(SelfInode(), home);
  EXPECT_EQ(made->Describe(), "netns " + std::to_string(made->inode()));
}

TEST(Netns, ScopeEntersAndReturns) {
  uint64_t home = SelfInode();
  absl::StatusOr<Netns> outer = Netns::Create();
  absl::StatusOr<Netns> inner = Netns::Create();
  ASSERT_OK(outer);
  ASSERT_OK(inner);
  {
    absl::StatusOr<ScopedNetns> one = ScopedNetns::Enter(*outer);
    ASSERT_OK(one);
    EXPECT_EQ(SelfInode(), outer->inode());
    {
      absl::StatusOr<ScopedNetns> two = ScopedNetns::Enter(*inner);
      ASSERT_OK(two);
      EXPECT_EQ(SelfInode(), inner->inode());
    }
    EXPECT_EQ(SelfInode(), outer->inode());
  }
  EXPECT_EQ(SelfInode(), home);
}

TEST(Netns, ScopeConcernsTheCallingThreadOnly) {
  uint64_t home = SelfInode();
  absl::StatusOr<Netns> made = Netns::Create();
  ASSERT_OK(made);
  absl::StatusOr<ScopedNetns> inside = ScopedNetns::Enter(*made);
  ASSERT_OK(inside);
  EXPECT_EQ(InodeOf("/proc/self/ns/net"), ::gettid() == ::getpid() ? made->inode() : home);
  uint64_t seen = 0;
  std::thread([&] { seen = InodeOf("/proc/1/ns/net"); }).join();
  EXPECT_NE(seen, made->inode());
}

TEST(Netns, AScopeThatWasMovedFromDoesNothing) {
  uint64_t home = SelfInode();
  absl::StatusOr<Netns> made = Netns::Create();
  ASSERT_OK(made);
  absl::StatusOr<ScopedNetns> inside = ScopedNetns::Enter(*made);
  ASSERT_OK(inside);
  {
    ScopedNetns taken = *std::move(inside);
    EXPECT_EQ(SelfInode(), made->inode());
  }
  EXPECT_EQ(SelfInode(), home);
}

TEST(Netns, DuplicateKeepsItAlive) {
  absl::StatusOr<Netns> made = Netns::Create();
  ASSERT_OK(made);
  uint64_t inode = made->inode();
  absl::StatusOr<Netns> second = made->Duplicate();
  ASSERT_OK(second);
  made = absl::CancelledError();
  EXPECT_EQ(second->inode(), inode);
  EXPECT_OK(ScopedNetns::Enter(*second));
}

// A process that sleeps in a namespace of its own until the object goes.
class Sleeper {
 public:
  explicit Sleeper(const Netns& netns) {
    absl::StatusOr<ScopedNetns> inside = ScopedNetns::Enter(netns);
    if (!inside.ok()) return;
    pid_ = ::fork();
    if (pid_ == 0) {
      ::pause();
      ::_exit(0);
    }
  }
  ~Sleeper() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

TEST(Netns, IsFoundByProcessAndByInode) {
  absl::StatusOr<Netns> made = Netns::Create();
  ASSERT_OK(made);
  Sleeper sleeper(*made);
  absl::StatusOr<Netns> by_pid = Netns::OpenPid(sleeper.pid());
  ASSERT_OK(by_pid);
  EXPECT_EQ(by_pid->inode(), made->inode());
  absl::StatusOr<Netns> by_inode = Netns::FindByInode(made->inode());
  ASSERT_OK(by_inode);
  EXPECT_EQ(by_inode->inode(), made->inode());
}

TEST(Netns, IsFoundByNameAndByInode) {
  const std::string name = "sabot-test-" + std::to_string(::getpid());
  absl::StatusOr<Netns> self = Netns::OpenSelf();
  ASSERT_OK(self);
  ASSERT_EQ(RunIn(*self, "ip netns add " + name).exit_code, 0);
  absl::StatusOr<Netns> named = Netns::OpenNamed(name);
  absl::StatusOr<Netns> found = Netns::FindByInode(InodeOf("/run/netns/" + name));
  EXPECT_EQ(RunIn(*self, "ip netns del " + name).exit_code, 0);
  ASSERT_OK(named);
  ASSERT_OK(found);
  EXPECT_EQ(named->inode(), found->inode());
}

TEST(Netns, WhatNobodyHoldsIsNotFound) {
  uint64_t inode = 0;
  {
    absl::StatusOr<Netns> made = Netns::Create();
    ASSERT_OK(made);
    inode = made->inode();
  }
  absl::Status status = Netns::FindByInode(inode).status();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_NE(std::string(status.message()).find("netns " + std::to_string(inode)), std::string::npos)
      << status;
}

TEST(Netns, OtherFilesAreRefused) {
  EXPECT_TRUE(absl::IsInvalidArgument(Netns::OpenPath("/proc/self/ns/mnt").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Netns::OpenPath("/dev/null").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Netns::OpenPath("/").status()));
  EXPECT_TRUE(absl::IsNotFound(Netns::OpenPath("/proc/self/ns/none").status()));
  EXPECT_TRUE(absl::IsNotFound(Netns::OpenPid(0x7FFFFFF).status()));
}

TEST(Netns, NamesThatLeaveTheDirectoryAreRefused) {
  for (std::string_view name : {"", ".", "..", "../../proc/1/ns/net", "a/b"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Netns::OpenNamed(name).status())) << name;
  }
}

TEST(NetnsDeathTest, AThreadThatCannotReturnAborts) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_DEATH(
      {
        absl::StatusOr<Netns> made = Netns::Create();
        absl::StatusOr<ScopedNetns> inside = ScopedNetns::Enter(*made);
        // Takes away what the scope would return through.
        for (int fd = 3; fd < 64; ++fd) ::close(fd);
      },
      "cannot return to the network namespace");
}

TEST(Clock, BootTimeIsNotBehindMonotonic) {
  uint64_t monotonic = MonotonicNs();
  uint64_t boot = BootTimeNs();
  EXPECT_GE(boot, monotonic);
  EXPECT_GT(monotonic, 0u);
  EXPECT_GE(MonotonicNs(), monotonic);
}

}  // namespace
}  // namespace sabot::loader
