// SPDX-License-Identifier: Apache-2.0
//
// Records as they stand in a journal file. For agent/journal*.cc and its tests.
#ifndef SABOT_AGENT_JOURNAL_FORMAT_H_
#define SABOT_AGENT_JOURNAL_FORMAT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sabot/v1/journal.pb.h"

namespace sabot::agent {

inline constexpr uint32_t kJournalVersion = 1;
// Length and checksum in front of each payload.
inline constexpr size_t kRecordPrefix = 8;

// The bytes of a record. INVALID_ARGUMENT if it could not be read again: too large, or text that is not
// UTF-8.
absl::StatusOr<std::string> EncodeRecord(const sabot::v1::JournalRecord& record);

struct DecodedRecord {
  sabot::v1::JournalRecord record;
  size_t size = 0;  // with its prefix
};

// The record that `bytes` begin with; nullopt if they do not begin with a whole and good one.
std::optional<DecodedRecord> DecodeRecord(std::string_view bytes);

// The payload length that `bytes` (at least kRecordPrefix of them) begin with.
size_t PayloadLength(std::string_view bytes);

}  // namespace sabot::agent

#endif  // SABOT_AGENT_JOURNAL_FORMAT_H_
