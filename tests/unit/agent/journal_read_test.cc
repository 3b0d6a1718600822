// SPDX-License-Identifier: Apache-2.0
//
// What is read from journals that a crash, a disk or an enemy has been at.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "agent/journal.h"
#include "agent/journal_format.h"
#include "tests/unit/agent/journal_deeds.h"

namespace sabot::agent {
namespace {

using sabot::v1::JournalRecord;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr char kBoot[] = "11111111-2222-3333-4444-555555555555";

JournalRecord Header() {
  JournalRecord record;
  record.set_sequence(1);
  record.mutable_header()->set_version(1);
  record.mutable_header()->set_pid(4242);
  record.mutable_header()->set_boot_id(kBoot);
  record.mutable_header()->set_command("sabot run delay.yaml");
  return record;
}

JournalRecord Begin(uint64_t sequence, const std::string& device) {
  JournalRecord record;
  record.set_sequence(sequence);
  *record.mutable_begin() = QdiscOn(device);
  return record;
}

JournalRecord Undone(uint64_t sequence, uint64_t of) {
  JournalRecord record;
  record.set_sequence(sequence);
  record.set_undone(of);
  return record;
}

std::string File(const std::vector<JournalRecord>& records) {
  std::string bytes;
  for (const JournalRecord& record : records) bytes += EncodeRecord(record).value();
  return bytes;
}

std::vector<uint64_t> Sequences(const OpenDeeds& open) {
  std::vector<uint64_t> sequences;
  for (const auto& [sequence, deed] : open) sequences.push_back(sequence);
  return sequences;
}

TEST(ReadJournal, FindsWhatIsOpen) {
  JournalContents contents =
      ParseJournal(File({Header(), Begin(2, "eth0"), Begin(3, "eth1"), Undone(4, 2)}), kBoot);
  EXPECT_EQ(contents.header->command(), "sabot run delay.yaml");
  EXPECT_THAT(Sequences(contents.open), ElementsAre(3));
  EXPECT_EQ(contents.open.at(3).qdisc().device(), "eth1");
  EXPECT_THAT(contents.records, SizeIs(3));
  EXPECT_THAT(contents.problems, IsEmpty());
  EXPECT_FALSE(contents.clean());
}

TEST(ReadJournal, OfNothingIsClean) {
  EXPECT_TRUE(ParseJournal("", kBoot).clean());
  EXPECT_TRUE(ParseJournal(File({Header()}), kBoot).clean());
  EXPECT_TRUE(ParseJournal(File({Header(), Begin(2, "eth0"), Undone(3, 2)}), kBoot).clean());
}

TEST(ReadJournal, OfAnotherBootHasNothingToUndo) {
  JournalContents contents = ParseJournal(File({Header(), Begin(2, "eth0")}), "another boot");
  EXPECT_TRUE(contents.other_boot);
  EXPECT_THAT(contents.open, IsEmpty());
  EXPECT_THAT(contents.records, SizeIs(1));
  EXPECT_TRUE(contents.clean());
}

TEST(ReadJournal, OfAnotherVersionIsLeftAlone) {
  JournalRecord header = Header();
  header.mutable_header()->set_version(2);
  JournalContents contents = ParseJournal(File({header, Begin(2, "eth0")}), kBoot);
  EXPECT_THAT(contents.problems, ElementsAre("the format is version 2, this program reads 1"));
  EXPECT_THAT(contents.open, IsEmpty());
  EXPECT_FALSE(contents.clean());
}

TEST(ReadJournal, CutAnywhereSaysWhatWasWhole) {
  const std::vector<JournalRecord> records = {Header(), Begin(2, "eth0"), Undone(3, 2), Begin(4, "eth1"),
                                              Begin(5, "eth2")};
  const std::string whole = File(records);
  for (size_t cut = 0; cut <= whole.size(); ++cut) {
    size_t good = 0, bytes = 0;
    while (good < records.size() && bytes + EncodeRecord(records[good])->size() <= cut) {
      bytes += EncodeRecord(records[good++])->size();
    }
    JournalContents contents = ParseJournal(whole.substr(0, cut), kBoot);
    EXPECT_THAT(contents.problems, IsEmpty()) << "cut at " << cut;
    EXPECT_EQ(contents.good_bytes, bytes) << "cut at " << cut;
    EXPECT_EQ(contents.torn_bytes, cut - bytes);
    EXPECT_EQ(contents.records.size(), good > 0 ? good - 1 : 0);
    EXPECT_EQ(contents.open.contains(2), good == 2) << "cut at " << cut;
    EXPECT_EQ(contents.open.contains(4), good >= 4);
  }
}

TEST(ReadJournal, DamagedAnywhereLosesOneRecordAndSaysSo) {
  const std::vector<JournalRecord> records = {Header(), Begin(2, "eth0"), Begin(3, "eth1"), Begin(4, "eth2")};
  const std::string whole = File(records);
  for (size_t at = 0; at < whole.size(); ++at) {
    size_t hit = 0;
    for (size_t end = 0; hit < records.size(); ++hit) {
      if ((end += EncodeRecord(records[hit])->size()) > at) break;
    }
    for (char flip : {'\x01', '\x80', '\xff'}) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ flip);
      JournalContents contents = ParseJournal(bytes, kBoot);
      for (size_t i = 1; i < records.size(); ++i) {
        EXPECT_EQ(contents.open.contains(records[i].sequence()), i != hit) << "byte " << at;
      }
      // Only a last record whose length grew cannot be told from a torn one.
      EXPECT_TRUE(!contents.problems.empty() || (hit == 3 && contents.torn_bytes > 0)) << "byte " << at;
      EXPECT_EQ(contents.header.has_value(), hit != 0);
    }
  }
}

TEST(ReadJournal, NamesThePlaceOfTheDamage) {
  std::string bytes = File({Header()});
  const size_t offset = bytes.size();
  bytes += "garbage" + File({Begin(2, "eth0")});
  JournalContents contents = ParseJournal(bytes, kBoot);
  EXPECT_THAT(contents.problems,
              ElementsAre("7 bytes at offset " + std::to_string(offset) + " are not a record"));
  EXPECT_THAT(Sequences(contents.open), ElementsAre(2));
}

TEST(ReadJournal, ZerosAreNoRecords) {
  JournalContents contents =
      ParseJournal(File({Header(), Begin(2, "eth0")}) + std::string(4096, '\0'), kBoot);
  EXPECT_THAT(contents.problems, SizeIs(1));
  EXPECT_THAT(Sequences(contents.open), ElementsAre(2));
}

TEST(ReadJournal, ATailLongerThanAnyRecordIsDamage) {
  std::string tail("\xff\xff\0\0", 4);
  tail.resize(kMaxJournalRecord + 100, 'x');
  JournalContents contents = ParseJournal(File({Header()}) + tail, kBoot);
  EXPECT_EQ(contents.torn_bytes, 0u);
  EXPECT_THAT(contents.problems, SizeIs(1));
}

TEST(ReadJournal, KeepsDeedsWhoseHeaderIsLost) {
  JournalContents contents = ParseJournal(File({Begin(2, "eth0")}), kBoot);
  EXPECT_THAT(contents.problems, ElementsAre("there is no header"));
  EXPECT_THAT(Sequences(contents.open), ElementsAre(2));
}

TEST(ReadJournal, ReportsRecordsThatMakeNoSense) {
  JournalRecord unknown;
  unknown.set_sequence(5);
  JournalContents contents = ParseJournal(
      File({Header(), Begin(2, "eth0"), Begin(2, "eth1"), Undone(4, 77), unknown, Header()}), kBoot);
  EXPECT_THAT(contents.problems,
              testing::IsSupersetOf({HasSubstr("a second deed with sequence 2"),
                                     HasSubstr("record 4 closes 77, which is not open"),
                                     HasSubstr("record 5 is of a kind"), HasSubstr("second header")}));
  EXPECT_EQ(contents.open.at(2).qdisc().device(), "eth0");
}

// Every offset looks like the start of a record of 64 KiB: the search behind damage must give up, not hang.
TEST(ReadJournal, OfHostileBytesEnds) {
  std::string bytes;
  while (bytes.size() < 8 << 20) bytes += std::string("\x08\x08\0\0", 4);
  JournalContents contents = ParseJournal(bytes, kBoot);
  EXPECT_THAT(contents.records, IsEmpty());
  EXPECT_FALSE(contents.clean());
}

TEST(ReadJournal, WithoutAFileIsNotFound) {
  EXPECT_EQ(ReadJournal("/nowhere/journal").status().code(), absl::StatusCode::kNotFound);
}

TEST(EncodeRecord, RefusesWhatCouldNotBeReadAgain) {
  EXPECT_EQ(EncodeRecord(Begin(2, std::string(kMaxJournalRecord, 'x'))).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(EncodeRecord(Begin(2, "eth\xff")).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace sabot::agent
