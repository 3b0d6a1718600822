// SPDX-License-Identifier: Apache-2.0
//
// The journal: deeds that the kernel would not take back by itself, on disk before they are done. The format
// is the one that proto/sabot/v1/journal.proto describes.
#ifndef SABOT_AGENT_JOURNAL_H_
#define SABOT_AGENT_JOURNAL_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "loader/fd.h"
#include "sabot/v1/journal.pb.h"

namespace sabot::agent {

// The largest payload that is written or believed.
inline constexpr size_t kMaxJournalRecord = 64 * 1024;

// Deeds that were begun and not undone, by the sequence of their `begin`, oldest first. Undo them newest
// first.
using OpenDeeds = std::map<uint64_t, sabot::v1::Deed>;

// What a journal file says.
struct JournalContents {
  // Absent if the file has none that can be read.
  std::optional<sabot::v1::JournalHeader> header;
  // Every good record behind the header, in file order.
  std::vector<sabot::v1::JournalRecord> records;
  // What is left to undo. Empty if the file belongs to another boot, or to a version that is not ours.
  OpenDeeds open;
  // The header names another boot than this machine's: there is nothing to undo.
  bool other_boot = false;
  // Bytes of a torn last record: a crash in mid-write, whose deed was never begun. Not a problem.
  size_t torn_bytes = 0;
  // Length of the file up to the torn tail.
  size_t good_bytes = 0;
  // What is wrong, one sentence each: "32 bytes at offset 120 are not a record". Records that are good are
  // listed above nevertheless.
  std::vector<std::string> problems;

  // Nothing to undo, as far as anyone can tell: the file may be deleted.
  bool clean() const { return open.empty() && (problems.empty() || other_boot); }
};

// Reads the bytes of a journal file; pure. `boot_id` is the boot of this machine. Any input gives an answer,
// in time linear to its size but for a bounded search behind damage.
JournalContents ParseJournal(std::string_view bytes, std::string_view boot_id);

// Reads a file that nobody writes to, or that its owner does (then the answer is of some moment in between,
// and a record in the course of being written looks torn). NOT_FOUND if there is no such file.
absl::StatusOr<JournalContents> ReadJournal(const std::filesystem::path& path);

// /proc/sys/kernel/random/boot_id, without the newline.
absl::StatusOr<std::string> BootId();

// A journal being written; the only writer of its file. Thread-compatible; move-only. Destruction closes the
// file and leaves it in place.
//
// The file is cut back to its header whenever no deed is open, and rewritten (beside it, then renamed) when
// the closed records in it outgrow the open ones, so that it stays within 64 KiB or 4 times what the open
// deeds need.
class Journal {
 public:
  // Makes a new file, which must not exist, with its header, and makes file and directory entry durable.
  // `command` says what is run, for messages. A file that could not be completed is removed.
  static absl::StatusOr<Journal> Create(const std::filesystem::path& path, std::string_view command);

  // Opens the file of a dead instance (whose lock the caller holds) to go on with it: open() is what is to be
  // undone. A torn tail is cut off; a file with damage in it is rewritten with what could be read.
  // FAILED_PRECONDITION if the format's version is not ours.
  static absl::StatusOr<Journal> Open(const std::filesystem::path& path);

  Journal(Journal&&) noexcept = default;
  Journal& operator=(Journal&&) noexcept = default;

  // The deed is durable when this returns its sequence, and only then may it be done. After an error (full or
  // broken disk, a deed above kMaxJournalRecord; the message names the file) the file says nothing of the
  // deed and the caller must not do it; later calls try again.
  absl::StatusOr<uint64_t> Begin(const sabot::v1::Deed& deed);

  // The deed with this sequence is undone. NOT_FOUND if none such is open. After any other error the deed no
  // longer counts as open here, though a reader of the file may still find it, and undo it once more, until a
  // later call has repaired the file.
  absl::Status Undone(uint64_t sequence);

  const OpenDeeds& open() const { return open_; }
  bool clean() const { return open_.empty(); }
  const std::filesystem::path& path() const { return path_; }
  // Bytes that the file has now.
  size_t size() const { return size_; }

 private:
  Journal(std::filesystem::path path, loader::UniqueFd fd, std::string header_record)
      : path_(std::move(path)), fd_(std::move(fd)), header_record_(std::move(header_record)) {}

  absl::Status Append(const sabot::v1::JournalRecord& record, bool durable);
  absl::Status CutTo(size_t size);
  absl::Status Rewrite();
  absl::Status Repair();
  void MaybeCompact();

  std::filesystem::path path_;
  loader::UniqueFd fd_;
  std::string header_record_;  // as it stands in the file
  OpenDeeds open_;
  size_t open_bytes_ = 0;  // what the records of open_ need in the file
  size_t size_ = 0;        // of the file's good part
  uint64_t next_sequence_ = 2;
  size_t no_rewrite_below_ = 0;
  bool dirty_tail_ = false;   // bytes of a failed write may stand behind size_
  bool stale_begin_ = false;  // an `undone` could not be written
};

}  // namespace sabot::agent

#endif  // SABOT_AGENT_JOURNAL_H_
