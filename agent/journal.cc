// SPDX-License-Identifier: Apache-2.0
//
// Writing a journal.
#include "agent/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "agent/file.h"
#include "agent/journal_format.h"
#include "loader/status.h"

namespace sabot::agent {
namespace {

using sabot::v1::Deed;
using sabot::v1::JournalHeader;
using sabot::v1::JournalRecord;

// Below this, closed records are not worth a rewrite.
constexpr size_t kCompactFrom = 64 * 1024;
constexpr size_t kGrowthFactor = 4;

// What a deed needs in the file: itself, the record around it and the prefix, rounded up.
size_t BytesOf(const Deed& deed) { return deed.ByteSizeLong() + 32; }

JournalRecord BeginRecord(uint64_t sequence, const Deed& deed) {
  JournalRecord record;
  record.set_sequence(sequence);
  *record.mutable_begin() = deed;
  return record;
}

absl::StatusOr<std::string> EncodeHeader(const JournalHeader& header) {
  JournalRecord record;
  record.set_sequence(1);
  *record.mutable_header() = header;
  return EncodeRecord(record);
}

// A command line may be any bytes; those that are not ASCII become '?' so that the header can be read again.
std::string Printable(std::string_view text) {
  std::string ascii(text.substr(0, 4096));
  for (char& c : ascii) {
    if (c < 0x20 || c == 0x7f) c = '?';
  }
  return ascii;
}

absl::StatusOr<std::string> NewHeader(std::string_view command) {
  JournalHeader header;
  header.set_version(kJournalVersion);
  header.set_pid(static_cast<uint32_t>(::getpid()));
  header.set_command(Printable(command));
  SABOT_ASSIGN_OR_RETURN(*header.mutable_boot_id(), BootId());
  return EncodeHeader(header);
}

absl::Status WithPath(const absl::Status& status, std::string_view attempt,
                      const std::filesystem::path& path) {
  if (status.ok()) return status;
  return absl::Status(status.code(),
                      absl::StrCat(std::string(attempt), " journal ", path.native(), ": ", status.message()));
}

}  // namespace

absl::StatusOr<Journal> Journal::Create(const std::filesystem::path& path, std::string_view command) {
  SABOT_ASSIGN_OR_RETURN(std::string header, NewHeader(command));
  SABOT_ASSIGN_OR_RETURN(loader::UniqueFd fd, OpenFile(path, O_RDWR | O_CREAT | O_EXCL, 0600));
  absl::Cleanup remove = [&path] { ::unlink(path.c_str()); };
  SABOT_RETURN_IF_ERROR(WriteAt(fd.get(), header, 0, path));
  SABOT_RETURN_IF_ERROR(SyncData(fd.get(), path));
  SABOT_RETURN_IF_ERROR(SyncDirectory(path.parent_path()));
  std::move(remove).Cancel();
  Journal journal(path, std::move(fd), std::move(header));
  journal.size_ = journal.header_record_.size();
  return journal;
}

absl::StatusOr<Journal> Journal::Open(const std::filesystem::path& path) {
  SABOT_ASSIGN_OR_RETURN(JournalContents contents, ReadJournal(path));
  if (contents.header && contents.header->version() != kJournalVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("open journal ", path.native(), ": ", contents.problems[0]));
  }
  bool keep_header = contents.header && !contents.other_boot;
  SABOT_ASSIGN_OR_RETURN(std::string header,
                         keep_header ? EncodeHeader(*contents.header) : NewHeader("sabot undo"));
  SABOT_ASSIGN_OR_RETURN(loader::UniqueFd fd, OpenFile(path, O_RDWR));
  Journal journal(path, std::move(fd), std::move(header));
  for (const JournalRecord& record : contents.records) {
    journal.next_sequence_ = std::max(journal.next_sequence_, record.sequence() + 1);
  }
  for (const auto& [sequence, deed] : contents.open) journal.open_bytes_ += BytesOf(deed);
  journal.open_ = std::move(contents.open);
  journal.size_ = contents.good_bytes;
  journal.dirty_tail_ = contents.torn_bytes > 0;
  SABOT_RETURN_IF_ERROR(keep_header && contents.problems.empty() ? journal.Repair() : journal.Rewrite());
  return journal;
}

absl::StatusOr<uint64_t> Journal::Begin(const Deed& deed) {
  uint64_t sequence = next_sequence_;
  absl::Status written = Append(BeginRecord(sequence, deed), /*durable=*/true);
  if (!written.ok()) return WithPath(written, "begin a deed in", path_);
  ++next_sequence_;
  open_.emplace(sequence, deed);
  open_bytes_ += BytesOf(deed);
  return sequence;
}

absl::Status Journal::Undone(uint64_t sequence) {
  auto found = open_.find(sequence);
  if (found == open_.end()) {
    return absl::NotFoundError(absl::StrCat("journal ", path_.native(), ": deed ", sequence, " is not open"));
  }
  open_bytes_ -= BytesOf(found->second);
  open_.erase(found);
  // Cutting back says the same as a record, and works on a full disk.
  if (open_.empty() && CutTo(header_record_.size()).ok()) return absl::OkStatus();

  JournalRecord record;
  record.set_sequence(next_sequence_);
  record.set_undone(sequence);
  // Not synced: undoing once more is harmless, and a lost machine has nothing to undo.
  absl::Status written = Append(record, /*durable=*/false);
  if (!written.ok()) {
    stale_begin_ = true;
    return WithPath(written, absl::StrCat("close deed ", sequence, " in"), path_);
  }
  ++next_sequence_;
  MaybeCompact();
  return absl::OkStatus();
}

absl::Status Journal::Append(const JournalRecord& record, bool durable) {
  SABOT_ASSIGN_OR_RETURN(std::string bytes, EncodeRecord(record));
  SABOT_RETURN_IF_ERROR(Repair());
  absl::Status written = WriteAt(fd_.get(), bytes, size_, path_);
  if (written.ok() && durable) written = SyncData(fd_.get(), path_);
  if (written.ok()) {
    size_ += bytes.size();
    return written;
  }
  dirty_tail_ = true;
  Repair().IgnoreError();  // tried again before the next record
  return written;
}

absl::Status Journal::CutTo(size_t size) {
  if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) {
    return ErrnoStatus(errno, absl::StrCat("truncate ", path_.native()));
  }
  size_ = size;
  dirty_tail_ = false;
  if (size == header_record_.size()) stale_begin_ = false;
  return absl::OkStatus();
}

absl::Status Journal::Repair() {
  if (stale_begin_ && Rewrite().ok()) return absl::OkStatus();
  return dirty_tail_ ? CutTo(size_) : absl::OkStatus();
}

absl::Status Journal::Rewrite() {
  std::string bytes = header_record_;
  for (const auto& [sequence, deed] : open_) {
    SABOT_ASSIGN_OR_RETURN(std::string record, EncodeRecord(BeginRecord(sequence, deed)));
    bytes += record;
  }
  std::filesystem::path fresh = path_;
  fresh += ".new";
  SABOT_ASSIGN_OR_RETURN(loader::UniqueFd fd, OpenFile(fresh, O_RDWR | O_CREAT | O_TRUNC, 0600));
  absl::Cleanup remove = [&fresh] { ::unlink(fresh.c_str()); };
  SABOT_RETURN_IF_ERROR(WriteAt(fd.get(), bytes, 0, fresh));
  SABOT_RETURN_IF_ERROR(SyncData(fd.get(), fresh));
  if (::rename(fresh.c_str(), path_.c_str()) != 0) {
    return ErrnoStatus(errno, absl::StrCat("rename ", fresh.native(), " to ", path_.native()));
  }
  std::move(remove).Cancel();
  fd_ = std::move(fd);
  size_ = bytes.size();
  dirty_tail_ = stale_begin_ = false;
  return SyncDirectory(path_.parent_path());
}

void Journal::MaybeCompact() {
  size_t needed = header_record_.size() + open_bytes_;
  if (size_ <= std::max({kCompactFrom, kGrowthFactor * needed, no_rewrite_below_})) return;
  // A disk that is full now is not tried again at every deed.
  no_rewrite_below_ = Rewrite().ok() ? 0 : size_ * 2;
}

}  // namespace sabot::agent
