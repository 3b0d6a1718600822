// SPDX-License-Identifier: Apache-2.0
#include "agent/state_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "agent/journal.h"
#include "tests/unit/agent/child.h"
#include "tests/unit/agent/journal_deeds.h"
#include "tests/unit/agent/temp_dir.h"

namespace sabot::agent {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class StateDirTest : public testing::Test {
 protected:
  // An instance with its journal, in a process of its own; `device` empty: nothing to undo.
  Child LiveInstance(const std::string& device) {
    return Child([this, device] {
      auto* instance = new auto(state_.CreateInstance());
      if (!instance->ok()) return false;
      auto* journal = new auto(Journal::Create((*instance)->journal_path(), "sabot run x.yaml"));
      return journal->ok() && (device.empty() || (*journal)->Begin(QdiscOn(device)).ok());
    });
  }
  // What a process with our own pid left behind.
  void DeadNamesake(const std::string& device) {
    std::filesystem::path directory = state_.path() / std::to_string(getpid());
    std::filesystem::create_directory(directory);
    std::ofstream(directory / "lock").flush();
    auto journal = Journal::Create(directory / "journal", "the dead");
    ASSERT_TRUE(device.empty() || journal->Begin(QdiscOn(device)).ok());
  }
  std::vector<InstanceInfo> List() const { return state_.ListInstances().value(); }

  TempDir dir_;
  StateDir state_ = StateDir::Open(dir_.path() / "sabot").value();
};

// The directory itself.

TEST_F(StateDirTest, IsMadeForItsOwnerOnly) {
  struct stat info {};
  ASSERT_EQ(::stat(state_.path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
}

TEST_F(StateDirTest, ThatOthersMayWriteToIsRefused) {
  ASSERT_EQ(::chmod(state_.path().c_str(), 0777), 0);
  absl::Status status = StateDir::Open(state_.path()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(status.message(), HasSubstr(state_.path().native()));
}

TEST_F(StateDirTest, OfAnotherUserIsRefused) {
  if (getuid() != 0) GTEST_SKIP() << "needs root to give a directory away";
  ASSERT_EQ(::chown(state_.path().c_str(), 12345, 12345), 0);
  EXPECT_EQ(StateDir::Open(state_.path()).status().code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(StateDirTest, ThatCannotBeMadeIsNamed) {
  absl::Status status = StateDir::Open("/proc/sabot/state").status();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(status.message(), HasSubstr("/proc/sabot"));
}

TEST(StateDirPath, ComesFromParameterThenEnvironmentThenRun) {
  ::unsetenv("SABOT_STATE_DIR");
  EXPECT_EQ(StateDir::DefaultPath(), "/run/sabot");
  ::setenv("SABOT_STATE_DIR", "/tmp/elsewhere", 1);
  EXPECT_EQ(StateDir::DefaultPath(), "/tmp/elsewhere");
  EXPECT_EQ(StateDir::DefaultPath("/tmp/here"), "/tmp/here");
  ::unsetenv("SABOT_STATE_DIR");
}

// Instances.

TEST_F(StateDirTest, InstanceIsListedWhileItLives) {
  auto instance = state_.CreateInstance();
  ASSERT_TRUE(instance.ok()) << instance.status();
  ASSERT_THAT(List(), SizeIs(1));
  EXPECT_EQ(List()[0].pid, getpid());
  EXPECT_TRUE(List()[0].live);
  EXPECT_EQ(List()[0].journal_path(), instance->journal_path());
}

TEST_F(StateDirTest, InstanceWithNothingLeftRemovesItself) {
  {
    auto instance = state_.CreateInstance();
    auto journal = Journal::Create(instance->journal_path(), "x");
    ASSERT_TRUE(journal->Undone(journal->Begin(QdiscOn("eth0")).value()).ok());
  }
  EXPECT_THAT(List(), IsEmpty());
  EXPECT_TRUE(std::filesystem::is_empty(state_.path()));
}

TEST_F(StateDirTest, InstanceWithOpenDeedsStays) {
  {
    auto instance = state_.CreateInstance();
    auto journal = Journal::Create(instance->journal_path(), "x");
    ASSERT_TRUE(journal->Begin(QdiscOn("eth0")).ok());
  }
  ASSERT_THAT(List(), SizeIs(1));
  EXPECT_FALSE(List()[0].live);
}

TEST_F(StateDirTest, InstanceWithADamagedJournalStays) {
  {
    auto instance = state_.CreateInstance();
    Overwrite(instance->journal_path(), std::string(100, 'x'));
  }
  EXPECT_THAT(List(), SizeIs(1));
}

TEST_F(StateDirTest, ProcessHasOneInstance) {
  auto first = state_.CreateInstance();
  EXPECT_EQ(state_.CreateInstance().status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(List(), SizeIs(1));
}

TEST_F(StateDirTest, MovedInstanceIsStillTheOne) {
  auto first = state_.CreateInstance();
  Instance second = *std::move(first);
  EXPECT_TRUE(List()[0].live);
}

TEST_F(StateDirTest, TellsTheLiveFromTheDead) {
  Child live = LiveInstance("eth0"), dead = LiveInstance("eth1");
  ASSERT_GT(live.pid(), 0);
  const pid_t dead_pid = dead.pid();
  dead.Kill();
  ASSERT_THAT(List(), SizeIs(2));
  for (const InstanceInfo& info : List()) EXPECT_EQ(info.live, info.pid != dead_pid);
}

TEST_F(StateDirTest, OtherNamesAreNotInstances) {
  std::filesystem::create_directories(state_.path() / "targets");
  std::filesystem::create_directories(state_.path() / "12x");
  std::filesystem::create_directories(state_.path() / "12.");
  std::filesystem::create_directories(state_.path() / ".new.12.1");
  std::ofstream(state_.path() / "13").flush();
  EXPECT_THAT(List(), IsEmpty());
}

// Those who come after.

TEST_F(StateDirTest, DeadInstanceIsAdoptedUndoneAndRemoved) {
  Child child = LiveInstance("eth0");
  child.Kill();
  {
    auto adopted = state_.AdoptInstance(List()[0]);
    ASSERT_TRUE(adopted.ok()) << adopted.status();
    EXPECT_TRUE(List()[0].live) << "somebody is undoing it";
    auto journal = Journal::Open(adopted->journal_path());
    ASSERT_TRUE(journal.ok()) << journal.status();
    EXPECT_EQ(journal->open().begin()->second.qdisc().device(), "eth0");
    ASSERT_TRUE(journal->Undone(journal->open().begin()->first).ok());
  }
  EXPECT_THAT(List(), IsEmpty());
}

TEST_F(StateDirTest, WhatCouldNotBeUndoneStays) {
  Child child = LiveInstance("eth0");
  child.Kill();
  { auto adopted = state_.AdoptInstance(List()[0]); }
  EXPECT_THAT(List(), SizeIs(1));
}

TEST_F(StateDirTest, LiveInstanceIsNotAdopted) {
  Child child = LiveInstance("eth0");
  EXPECT_EQ(state_.AdoptInstance(List()[0]).status().code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(StateDirTest, DeadInstanceIsAdoptedOnce) {
  Child child = LiveInstance("eth0");
  child.Kill();
  auto first = state_.AdoptInstance(List()[0]);
  EXPECT_EQ(state_.AdoptInstance(List()[0]).status().code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(StateDirTest, GoneInstanceIsNotFound) {
  InstanceInfo info{.directory = state_.path() / "77"};
  EXPECT_EQ(state_.AdoptInstance(info).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(StateDirTest, HalfRemovedInstanceCanBeRemoved) {
  std::filesystem::create_directory(state_.path() / "77");
  ASSERT_THAT(List(), SizeIs(1));
  { auto adopted = state_.AdoptInstance(List()[0]); }
  EXPECT_THAT(List(), IsEmpty());
}

TEST_F(StateDirTest, DeedsOfADeadNamesakeAreKept) {
  DeadNamesake("eth0");
  auto instance = state_.CreateInstance();
  ASSERT_TRUE(instance.ok()) << instance.status();
  ASSERT_THAT(List(), SizeIs(2));
  EXPECT_EQ(List()[1].name, std::to_string(getpid()) + ".1");
  EXPECT_EQ(List()[1].pid, getpid());
  EXPECT_FALSE(List()[1].live);
  EXPECT_FALSE(ReadJournal(List()[1].journal_path())->clean());
}

TEST_F(StateDirTest, DeedsOfManyDeadNamesakesAreKept) {
  for (int i = 0; i < 3; ++i) {
    DeadNamesake("eth" + std::to_string(i));
    ASSERT_TRUE(state_.CreateInstance().ok());
  }
  EXPECT_THAT(List(), SizeIs(3));
}

TEST_F(StateDirTest, ADeadNamesakeWithNothingLeftIsReplaced) {
  DeadNamesake("");
  auto instance = state_.CreateInstance();
  ASSERT_TRUE(instance.ok()) << instance.status();
  EXPECT_THAT(List(), SizeIs(1));
  EXPECT_FALSE(std::filesystem::exists(instance->journal_path()));
}

// Claims.

TEST_F(StateDirTest, ClaimedTargetIsRefusedByItsOwnersName) {
  Child other([this] {
    auto* claim = new auto(state_.ClaimTarget("netns-4026532589", "sabot run delay.yaml"));
    return claim->ok();
  });
  ASSERT_GT(other.pid(), 0);
  absl::Status refused = state_.ClaimTarget("netns-4026532589", "sabot run loss.yaml").status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(refused.message(), "claim target netns-4026532589: it is held by sabot run delay.yaml (pid " +
                                   std::to_string(other.pid()) + ")");
  EXPECT_TRUE(state_.ClaimTarget("cgroup-77", "sabot run loss.yaml").ok());
}

TEST_F(StateDirTest, ClaimIsRefusedInTheSameProcessToo) {
  auto first = state_.ClaimTarget("netns-1", "first");
  EXPECT_EQ(state_.ClaimTarget("netns-1", "second").status().code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(StateDirTest, ReleasedTargetCanBeClaimed) {
  { auto first = state_.ClaimTarget("netns-1", "first"); }
  EXPECT_TRUE(std::filesystem::is_empty(state_.path() / "targets"));
  EXPECT_TRUE(state_.ClaimTarget("netns-1", "second").ok());
}

TEST_F(StateDirTest, ClaimOfTheDeadDoesNotCount) {
  Child other([this] {
    auto* claim = new auto(state_.ClaimTarget("netns-1", "the dead"));
    return claim->ok();
  });
  ASSERT_GT(other.pid(), 0);
  other.Kill();
  auto claim = state_.ClaimTarget("netns-1", "us");
  ASSERT_TRUE(claim.ok()) << claim.status();
  EXPECT_THAT(state_.ClaimTarget("netns-1", "them").status().message(), HasSubstr("held by us"));
}

TEST_F(StateDirTest, OnlyOneOfManyGetsTheTargetOfTheDead) {
  for (int round = 0; round < 20; ++round) {
    Child dead([this] { return (new auto(state_.ClaimTarget("netns-1", "the dead")))->ok(); });
    dead.Kill();
    std::vector<absl::StatusOr<TargetClaim>> claims;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) claims.emplace_back(absl::UnknownError("not tried"));
    for (auto& claim : claims) {
      threads.emplace_back([this, &claim] { claim = state_.ClaimTarget("netns-1", "one of many"); });
    }
    for (std::thread& thread : threads) thread.join();
    int won = 0;
    for (auto& claim : claims) {
      won += claim.ok();
      if (claim.ok()) continue;
      EXPECT_THAT(claim.status().message(), HasSubstr("held by one of many"));
    }
    EXPECT_EQ(won, 1);
  }
}

TEST_F(StateDirTest, KeyIsAPlainName) {
  for (const char* key : {"", ".", "..", ".hidden", "a/b", "../x", "a b", "a\nb"}) {
    EXPECT_EQ(state_.ClaimTarget(key, "x").status().code(), absl::StatusCode::kInvalidArgument) << key;
  }
}

// Halt.

TEST_F(StateDirTest, HaltHoldsUntilResume) {
  EXPECT_FALSE(state_.IsHalted());
  EXPECT_TRUE(state_.Halt("sabot halt (pid 1)").ok());
  EXPECT_TRUE(state_.IsHalted());
  EXPECT_TRUE(StateDir::Open(state_.path())->IsHalted());
  EXPECT_TRUE(state_.Halt("again").ok());
  EXPECT_TRUE(state_.Resume().ok());
  EXPECT_FALSE(state_.IsHalted());
  EXPECT_TRUE(state_.Resume().ok());
}

TEST_F(StateDirTest, HaltLeavesNothingElse) {
  ASSERT_TRUE(state_.Halt("x").ok());
  int entries = 0;
  for ([[maybe_unused]] auto& entry : std::filesystem::directory_iterator(state_.path())) ++entries;
  EXPECT_EQ(entries, 1);
}

}  // namespace
}  // namespace sabot::agent
