// SPDX-License-Identifier: Apache-2.0
//
// Writing journals: durable first, bounded always, and right after every kind of bad end.
#include "agent/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "tests/unit/agent/journal_deeds.h"
#include "tests/unit/agent/temp_dir.h"

namespace sabot::agent {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class JournalTest : public testing::Test {
 protected:
  JournalContents Read() const { return ReadJournal(path_).value(); }

  TempDir dir_;
  std::filesystem::path path_ = dir_.path() / "journal";
};

TEST_F(JournalTest, BeginIsInTheFileWhenItReturns) {
  auto journal = Journal::Create(path_, "sabot run delay.yaml");
  ASSERT_TRUE(journal.ok()) << journal.status();
  uint64_t sequence = journal->Begin(QdiscOn("eth0")).value();

  JournalContents contents = Read();
  EXPECT_EQ(contents.header->pid(), static_cast<uint32_t>(getpid()));
  EXPECT_EQ(contents.header->boot_id(), BootId().value());
  EXPECT_EQ(contents.header->command(), "sabot run delay.yaml");
  EXPECT_EQ(contents.open.at(sequence).qdisc().device(), "eth0");
  EXPECT_EQ(journal->size(), std::filesystem::file_size(path_));
}

TEST_F(JournalTest, IsReadableByItsOwnerOnly) {
  auto journal = Journal::Create(path_, "x");
  struct stat info {};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(JournalTest, UndoneClosesTheDeedAndNoOther) {
  auto journal = Journal::Create(path_, "x");
  uint64_t first = journal->Begin(QdiscOn("eth0")).value();
  uint64_t second = journal->Begin(QdiscOn("eth1")).value();
  EXPECT_TRUE(journal->Undone(first).ok());
  EXPECT_FALSE(Read().open.contains(first));
  EXPECT_TRUE(Read().open.contains(second));
  EXPECT_FALSE(journal->clean());
  EXPECT_TRUE(journal->Undone(second).ok());
  EXPECT_TRUE(journal->clean());
  EXPECT_TRUE(Read().clean());
}

TEST_F(JournalTest, UndoneTwiceIsNotFound) {
  auto journal = Journal::Create(path_, "x");
  uint64_t sequence = journal->Begin(QdiscOn("eth0")).value();
  EXPECT_TRUE(journal->Undone(sequence).ok());
  EXPECT_EQ(journal->Undone(sequence).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(journal->Undone(99).code(), absl::StatusCode::kNotFound);
}

TEST_F(JournalTest, SequencesAreNeverGivenTwice) {
  auto journal = Journal::Create(path_, "x");
  uint64_t last = 1;
  for (int i = 0; i < 100; ++i) {
    uint64_t sequence = journal->Begin(QdiscOn("eth0")).value();
    EXPECT_GT(sequence, last);
    last = sequence;
    ASSERT_TRUE(journal->Undone(sequence).ok());
  }
}

TEST_F(JournalTest, DoesNotReplaceAFileThatIsThere) {
  Overwrite(path_, "somebody's deeds");
  EXPECT_EQ(Journal::Create(path_, "x").status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(Bytes(path_), "somebody's deeds");
}

TEST_F(JournalTest, KeepsACommandLineOfAnyBytes) {
  auto journal = Journal::Create(path_, "sabot run \xff\xfe\n.yaml");
  ASSERT_TRUE(journal.ok());
  EXPECT_EQ(Read().header->command(), "sabot run ???.yaml");
}

TEST_F(JournalTest, RefusesADeedThatNobodyCouldReadAgain) {
  auto journal = Journal::Create(path_, "x");
  auto begun = journal->Begin(QdiscOn(std::string(kMaxJournalRecord, 'x')));
  EXPECT_EQ(begun.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(begun.status().message(), HasSubstr(path_.native()));
  EXPECT_TRUE(Read().clean());
}

TEST_F(JournalTest, IsAHeaderAgainOnceAllIsUndone) {
  auto journal = Journal::Create(path_, "x");
  const size_t header = journal->size();
  uint64_t first = journal->Begin(QdiscOn("eth0")).value();
  uint64_t second = journal->Begin(QdiscOn("eth1")).value();
  ASSERT_TRUE(journal->Undone(second).ok());
  ASSERT_TRUE(journal->Undone(first).ok());
  EXPECT_EQ(std::filesystem::file_size(path_), header);
}

TEST_F(JournalTest, StaysSmallOverAMillionDeeds) {
  auto journal = Journal::Create(path_, "x");
  uint64_t kept = journal->Begin(QdiscOn("kept0")).value();
  size_t largest = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    auto sequence = journal->Begin(QdiscOn("eth0"));
    ASSERT_TRUE(sequence.ok()) << sequence.status();
    ASSERT_TRUE(journal->Undone(*sequence).ok());
    largest = std::max(largest, journal->size());
  }
  EXPECT_LE(largest, 65u * 1024);
  EXPECT_EQ(journal->open().size(), 1u);
  EXPECT_EQ(Read().open.at(kept).qdisc().device(), "kept0");
  EXPECT_THAT(Read().problems, IsEmpty());
}

TEST_F(JournalTest, OfManyOpenDeedsStaysWithinFourTimesTheirSize) {
  auto journal = Journal::Create(path_, "x");
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(journal->Begin(QdiscOn("veth" + std::to_string(i))).ok());
  const size_t needed = journal->size();
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_TRUE(journal->Undone(journal->Begin(QdiscOn("eth0")).value()).ok());
  }
  EXPECT_LE(journal->size(), needed * 5);
  EXPECT_EQ(Read().open.size(), 2000u);
}

// What the dead left.

TEST_F(JournalTest, OfTheDeadGoesOnWhereItEnded) {
  uint64_t done, open;
  {
    auto journal = Journal::Create(path_, "sabot run delay.yaml");
    done = journal->Begin(QdiscOn("eth0")).value();
    open = journal->Begin(QdiscOn("eth1")).value();
    ASSERT_TRUE(journal->Undone(done).ok());
  }
  auto journal = Journal::Open(path_);
  ASSERT_TRUE(journal.ok()) << journal.status();
  EXPECT_EQ(journal->open().size(), 1u);
  EXPECT_EQ(journal->open().at(open).qdisc().device(), "eth1");
  EXPECT_GT(journal->Begin(QdiscOn("eth2")).value(), open);
  EXPECT_TRUE(journal->Undone(open).ok());
  EXPECT_EQ(Read().header->command(), "sabot run delay.yaml");
}

TEST_F(JournalTest, CutAnywhereCanBeWrittenAgain) {
  {
    auto journal = Journal::Create(path_, "x");
    ASSERT_TRUE(journal->Begin(QdiscOn("eth0")).ok());
    ASSERT_TRUE(journal->Begin(QdiscOn("eth1")).ok());
  }
  const std::string whole = Bytes(path_);
  for (size_t cut = 0; cut <= whole.size(); ++cut) {
    Overwrite(path_, whole.substr(0, cut));
    const size_t before = Read().open.size();
    auto journal = Journal::Open(path_);
    ASSERT_TRUE(journal.ok()) << "cut at " << cut << ": " << journal.status();
    ASSERT_TRUE(journal->Begin(QdiscOn("eth9")).ok());
    JournalContents contents = Read();
    EXPECT_EQ(contents.open.size(), before + 1) << "cut at " << cut;
    EXPECT_THAT(contents.problems, IsEmpty());
    EXPECT_EQ(contents.torn_bytes, 0u);
  }
}

TEST_F(JournalTest, DamagedIsRewrittenWithWhatIsGood) {
  {
    auto journal = Journal::Create(path_, "x");
    ASSERT_TRUE(journal->Begin(QdiscOn("eth0")).ok());
    ASSERT_TRUE(journal->Begin(QdiscOn("eth1")).ok());
  }
  std::string bytes = Bytes(path_);
  bytes[bytes.find("eth0")] = 'E';
  Overwrite(path_, bytes);
  auto journal = Journal::Open(path_);
  ASSERT_TRUE(journal.ok()) << journal.status();
  EXPECT_EQ(journal->open().size(), 1u);
  EXPECT_THAT(Read().problems, IsEmpty());
  EXPECT_EQ(Read().open.size(), 1u);
}

TEST_F(JournalTest, OfTheDeadIsCleanOnceAllIsUndone) {
  {
    auto journal = Journal::Create(path_, "x");
    ASSERT_TRUE(journal->Begin(QdiscOn("eth0")).ok());
  }
  auto journal = Journal::Open(path_);
  ASSERT_TRUE(journal->Undone(journal->open().begin()->first).ok());
  EXPECT_TRUE(Read().clean());
}

// Full disks. The file system is a tmpfs of one page more than the journal may use.

class FullDisk : public JournalTest {
 protected:
  void SetUp() override {
    if (::mount("sabot-test", dir_.path().c_str(), "tmpfs", 0, "size=8k") != 0) {
      GTEST_SKIP() << "cannot mount a tmpfs: " << std::strerror(errno);
    }
    mounted_ = true;
  }
  void TearDown() override {
    if (mounted_) ::umount2(dir_.path().c_str(), MNT_DETACH);
  }
  void Fill() const { std::ofstream(dir_.path() / "filler") << std::string(1 << 20, 'x') << std::flush; }
  void Free() const { std::filesystem::remove(dir_.path() / "filler"); }
  // A tmpfs counts whole pages: leaves less than one deed of the journal's page.
  std::vector<uint64_t> BeginUntilFull(Journal& journal) {
    std::vector<uint64_t> begun;
    while (true) {
      auto sequence = journal.Begin(QdiscOn("eth" + std::to_string(begun.size())));
      if (!sequence.ok()) {
        refusal_ = sequence.status();
        return begun;
      }
      begun.push_back(*sequence);
    }
  }

  bool mounted_ = false;
  absl::Status refusal_;
};

TEST_F(FullDisk, RefusesTheDeedAndNamesTheFile) {
  auto journal = Journal::Create(path_, "x");
  Fill();
  std::vector<uint64_t> begun = BeginUntilFull(*journal);
  EXPECT_EQ(refusal_.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(refusal_.message(), HasSubstr(path_.native()));
  EXPECT_THAT(refusal_.message(), HasSubstr("No space left on device"));

  JournalContents contents = Read();
  EXPECT_EQ(contents.open.size(), begun.size());
  EXPECT_EQ(contents.torn_bytes, 0u) << "the half-written record is still there";
  EXPECT_EQ(std::filesystem::file_size(path_), journal->size());
}

TEST_F(FullDisk, GoesOnWhenThereIsSpaceAgain) {
  auto journal = Journal::Create(path_, "x");
  Fill();
  size_t begun = BeginUntilFull(*journal).size();
  Free();
  EXPECT_TRUE(journal->Begin(QdiscOn("later0")).ok());
  EXPECT_EQ(Read().open.size(), begun + 1);
  EXPECT_THAT(Read().problems, IsEmpty());
}

TEST_F(FullDisk, CanStillSayThatAllIsUndone) {
  auto journal = Journal::Create(path_, "x");
  Fill();
  for (uint64_t sequence : BeginUntilFull(*journal)) journal->Undone(sequence).IgnoreError();
  EXPECT_TRUE(journal->clean());
  EXPECT_TRUE(Read().clean());
}

TEST_F(FullDisk, RemembersWhatItCouldNotSay) {
  auto journal = Journal::Create(path_, "x");
  Fill();
  std::vector<uint64_t> begun = BeginUntilFull(*journal);
  // Closing records are short: some still fit into the page.
  absl::Status closed;
  size_t next = 0;
  while (closed.ok() && next + 1 < begun.size()) closed = journal->Undone(begun[next++]);
  ASSERT_FALSE(closed.ok());
  EXPECT_THAT(closed.message(), HasSubstr(path_.native()));
  EXPECT_TRUE(Read().open.contains(begun[next - 1])) << "undone, and the file cannot say so yet";
  EXPECT_FALSE(journal->open().contains(begun[next - 1]));
  Free();
  ASSERT_TRUE(journal->Begin(QdiscOn("later0")).ok());
  EXPECT_FALSE(Read().open.contains(begun[next - 1]));
  EXPECT_EQ(Read().open.size(), journal->open().size());
}

TEST_F(FullDisk, LeavesNoHalfMadeJournal) {
  Fill();
  auto journal = Journal::Create(path_, "x");
  EXPECT_EQ(journal.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

// A writer that says in shared memory what it was promised, and is killed at any moment.
struct Promises {
  std::atomic<uint64_t> begun;   // the last Begin that returned
  std::atomic<uint64_t> undone;  // the last Undone that was called
};

TEST_F(JournalTest, KilledAnywhereKeepsItsPromises) {
  auto* promises = static_cast<Promises*>(
      ::mmap(nullptr, sizeof(Promises), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  for (int round = 0; round < 200; ++round) {
    std::filesystem::remove(path_);
    promises->begun = promises->undone = 0;
    pid_t child = ::fork();
    if (child == 0) {
      auto journal = Journal::Create(path_, "x");
      if (!journal->Begin(QdiscOn("kept0")).ok()) ::_exit(1);
      while (true) {
        uint64_t sequence = journal->Begin(QdiscOn("eth0")).value();
        promises->begun = sequence;
        promises->undone = sequence;
        journal->Undone(sequence).IgnoreError();
      }
    }
    while (promises->begun == 0) ::usleep(100);
    ::usleep(static_cast<useconds_t>(round * 53 % 3000));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);

    auto journal = Journal::Open(path_);
    ASSERT_TRUE(journal.ok()) << journal.status();
    EXPECT_THAT(Read().problems, IsEmpty());
    EXPECT_EQ(journal->open().begin()->second.qdisc().device(), "kept0");
    // At most the one deed that was under way is open besides.
    EXPECT_LE(journal->open().size(), 2u);
    if (promises->begun != promises->undone) {
      EXPECT_TRUE(journal->open().contains(promises->begun));
    }
  }
  ::munmap(promises, sizeof(Promises));
}

}  // namespace
}  // namespace sabot::agent
