// SPDX-License-Identifier: Apache-2.0
#include "agent/journal_format.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "agent/crc32c.h"
#include "agent/journal.h"

namespace sabot::agent {
namespace {

void PutLittle32(uint32_t value, std::string& out) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(value >> shift));
}

uint32_t GetLittle32(std::string_view bytes) {
  uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

}  // namespace

absl::StatusOr<std::string> EncodeRecord(const sabot::v1::JournalRecord& record) {
  std::string payload = record.SerializeAsString();
  if (payload.size() > kMaxJournalRecord) {
    return absl::InvalidArgumentError(
        absl::StrCat("a record of ", payload.size(), " bytes; at most ", kMaxJournalRecord, " are allowed"));
  }
  // Serializing accepts text that parsing refuses.
  if (!sabot::v1::JournalRecord().ParseFromString(payload)) {
    return absl::InvalidArgumentError("the record has text that is not UTF-8");
  }
  std::string bytes;
  PutLittle32(static_cast<uint32_t>(payload.size()), bytes);
  PutLittle32(Crc32c(payload), bytes);
  return bytes + payload;
}

size_t PayloadLength(std::string_view bytes) { return GetLittle32(bytes); }

std::optional<DecodedRecord> DecodeRecord(std::string_view bytes) {
  if (bytes.size() < kRecordPrefix) return std::nullopt;
  size_t length = PayloadLength(bytes);
  // Eight zero bytes would be an empty payload with the right checksum; no record is empty.
  if (length == 0 || length > kMaxJournalRecord || length > bytes.size() - kRecordPrefix) return std::nullopt;
  std::string_view payload = bytes.substr(kRecordPrefix, length);
  if (Crc32c(payload) != GetLittle32(bytes.substr(4))) return std::nullopt;
  DecodedRecord decoded{.record = {}, .size = kRecordPrefix + length};
  if (!decoded.record.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return std::nullopt;
  return decoded;
}

}  // namespace sabot::agent
