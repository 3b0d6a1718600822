// SPDX-License-Identifier: Apache-2.0
//
// Journals of any bytes, and journals of any records: those have their checksums put right, so that the
// fuzzer gets behind them.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "agent/crc32c.h"
#include "agent/journal.h"
#include "agent/journal_format.h"

namespace {

using sabot::agent::JournalContents;
using sabot::v1::JournalRecord;

constexpr std::string_view kBoot = "boot";

void Check(bool holds) {
  if (!holds) std::abort();
}

std::string Little32(uint32_t value) {
  std::string bytes;
  for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<char>(value >> shift));
  return bytes;
}

// Each chunk is a kind, a length and as many bytes: a payload to be framed, or raw bytes between the records.
std::string FramedFile(std::string_view input) {
  std::string file;
  while (input.size() >= 2) {
    bool raw = input[0] == 'r';
    std::string_view chunk = input.substr(2, static_cast<uint8_t>(input[1]));
    input.remove_prefix(2 + chunk.size());
    if (!raw) file += Little32(static_cast<uint32_t>(chunk.size())) + Little32(sabot::agent::Crc32c(chunk));
    file += chunk;
  }
  return file;
}

// What is open, written anew, is what is open.
void CheckRewritten(const JournalContents& contents) {
  std::string bytes;
  JournalRecord header;
  header.set_sequence(1);
  header.mutable_header()->set_version(1);
  bytes += sabot::agent::EncodeRecord(header).value();
  for (const auto& [sequence, deed] : contents.open) {
    JournalRecord begin;
    begin.set_sequence(sequence);
    *begin.mutable_begin() = deed;
    auto record = sabot::agent::EncodeRecord(begin);
    Check(record.ok());
    bytes += *record;
  }
  JournalContents again = sabot::agent::ParseJournal(bytes, kBoot);
  Check(again.open.size() == contents.open.size());
  for (const auto& [sequence, deed] : contents.open) {
    Check(again.open.contains(sequence));
    Check(again.open.at(sequence).SerializeAsString() == deed.SerializeAsString());
  }
}

void CheckFile(std::string_view file) {
  JournalContents contents = sabot::agent::ParseJournal(file, kBoot);
  Check(contents.good_bytes + contents.torn_bytes == file.size() || !contents.problems.empty());
  Check(contents.open.size() <= contents.records.size());
  if (!contents.open.contains(0) && !contents.open.contains(1)) CheckRewritten(contents);
  // A crash in mid-write never loses what was written before.
  if (!contents.problems.empty() || contents.other_boot) return;
  JournalContents cut = sabot::agent::ParseJournal(file.substr(0, contents.good_bytes), kBoot);
  Check(cut.problems.empty() && cut.torn_bytes == 0 && cut.open.size() == contents.open.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  CheckFile(input);
  CheckFile(FramedFile(input));
  return 0;
}
