// SPDX-License-Identifier: Apache-2.0
//
// Reading a journal: everything that is good in a file, and what is wrong with the rest.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "agent/file.h"
#include "agent/journal.h"
#include "agent/journal_format.h"
#include "loader/status.h"

namespace sabot::agent {
namespace {

using sabot::v1::JournalRecord;

// Checksumming every offset behind damage is quadratic; a real journal needs far less than this.
constexpr size_t kSearchBudget = size_t{64} << 20;
// What no journal grows to (8192 faults need about 4 MiB).
constexpr size_t kMaxJournalFile = size_t{256} << 20;
// How every payload of ours begins: the tag of JournalRecord.sequence, which is never 0.
constexpr char kFirstTag = 0x08;

class Reader {
 public:
  Reader(std::string_view bytes, std::string_view boot_id) : bytes_(bytes), boot_id_(boot_id) {}

  JournalContents Read() && {
    while (position_ < bytes_.size() && !foreign_) Step();
    contents_.good_bytes = position_;
    contents_.torn_bytes = torn_;
    if (!contents_.header && !contents_.records.empty()) Problem("there is no header");
    if (foreign_ || contents_.other_boot) contents_.open.clear();
    return std::move(contents_);
  }

 private:
  void Step() {
    if (auto decoded = DecodeRecord(bytes_.substr(position_))) {
      position_ += decoded->size;
      Take(std::move(decoded->record));
      return;
    }
    size_t next = FindRecord(position_ + 1);
    if (next == bytes_.size() && budget_ > 0 && LooksTorn(bytes_.substr(position_))) {
      torn_ = bytes_.size() - position_;
      bytes_.remove_suffix(torn_);
      return;
    }
    Problem(absl::StrCat(next - position_, " bytes at offset ", position_, " are not a record"));
    position_ = next;
  }

  // A crash in mid-write leaves the beginning of a record.
  static bool LooksTorn(std::string_view tail) {
    if (tail.size() < kRecordPrefix) return true;
    size_t length = PayloadLength(tail);
    return length <= kMaxJournalRecord && length > tail.size() - kRecordPrefix;
  }

  // The offset of the next good record at or behind `from`; the end if there is none.
  size_t FindRecord(size_t from) {
    for (size_t at = from; at + kRecordPrefix < bytes_.size() && budget_ > 0; ++at) {
      if (bytes_[at + kRecordPrefix] != kFirstTag) continue;
      size_t length = PayloadLength(bytes_.substr(at));
      if (length > kMaxJournalRecord || length > bytes_.size() - at - kRecordPrefix) continue;
      budget_ -= std::min(budget_, length + 1);
      if (DecodeRecord(bytes_.substr(at))) return at;
    }
    return bytes_.size();
  }

  void Take(JournalRecord record) {
    if (record.sequence() <= last_sequence_) {
      Problem(absl::StrCat("sequence ", record.sequence(), " follows ", last_sequence_));
    }
    last_sequence_ = std::max(last_sequence_, record.sequence());
    if (record.kind_case() == JournalRecord::kHeader) {
      TakeHeader(std::move(*record.mutable_header()));
      return;
    }
    if (record.kind_case() == JournalRecord::kBegin) TakeBegin(record);
    if (record.kind_case() == JournalRecord::kUndone) TakeUndone(record);
    if (record.kind_case() == JournalRecord::KIND_NOT_SET) {
      Problem(absl::StrCat("record ", record.sequence(), " is of a kind that this program does not know"));
    }
    contents_.records.push_back(std::move(record));
  }

  void TakeHeader(sabot::v1::JournalHeader header) {
    if (contents_.header) {
      Problem("there is a second header");
      return;
    }
    if (header.version() != kJournalVersion) {
      Problem(
          absl::StrCat("the format is version ", header.version(), ", this program reads ", kJournalVersion));
      foreign_ = true;
    }
    contents_.other_boot = !header.boot_id().empty() && header.boot_id() != boot_id_;
    contents_.header = std::move(header);
  }

  void TakeBegin(const JournalRecord& record) {
    if (contents_.open.try_emplace(record.sequence(), record.begin()).second) return;
    Problem(absl::StrCat("a second deed with sequence ", record.sequence(), " is left out"));
  }

  void TakeUndone(const JournalRecord& record) {
    if (contents_.open.erase(record.undone()) == 1) return;
    Problem(absl::StrCat("record ", record.sequence(), " closes ", record.undone(), ", which is not open"));
  }

  void Problem(std::string text) { contents_.problems.push_back(std::move(text)); }

  std::string_view bytes_;
  std::string_view boot_id_;
  size_t position_ = 0;
  size_t torn_ = 0;
  size_t budget_ = kSearchBudget;
  uint64_t last_sequence_ = 0;
  bool foreign_ = false;  // a version that is not ours
  JournalContents contents_;
};

}  // namespace

JournalContents ParseJournal(std::string_view bytes, std::string_view boot_id) {
  return Reader(bytes, boot_id).Read();
}

absl::StatusOr<JournalContents> ReadJournal(const std::filesystem::path& path) {
  SABOT_ASSIGN_OR_RETURN(std::string boot_id, BootId());
  SABOT_ASSIGN_OR_RETURN(std::string bytes, ReadFile(path, kMaxJournalFile));
  return ParseJournal(bytes, boot_id);
}

absl::StatusOr<std::string> BootId() {
  SABOT_ASSIGN_OR_RETURN(std::string text, ReadFile("/proc/sys/kernel/random/boot_id", 4096));
  return std::string(absl::StripSuffix(text, "\n"));
}

}  // namespace sabot::agent
