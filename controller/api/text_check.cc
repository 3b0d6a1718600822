// SPDX-License-Identifier: Apache-2.0
#include "controller/api/text_check.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_format.h"

namespace sabot::api {
namespace {

bool IsControl(unsigned char byte) {
  return (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7F;
}

// Length of the UTF-8 sequence that begins with this byte; 0: none does.
size_t SequenceSize(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;
}

// True if a whole, shortest-form sequence of a character that exists begins at the front.
bool IsUtf8Sequence(std::string_view text, size_t size) {
  if (size == 0 || text.size() < size) return false;
  if (size == 1) return true;
  uint32_t point = static_cast<unsigned char>(text[0]) & (0x7F >> size);
  for (size_t i = 1; i < size; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0) != 0x80) return false;
    point = point << 6 | (byte & 0x3F);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  return point >= kLeast[size] && point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
}

Position PositionOf(std::string_view content, size_t offset) {
  const std::string_view before = content.substr(0, offset);
  const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return {static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1,
          static_cast<int>(offset - line_start) + 1};
}

}  // namespace

std::optional<NonText> FindNonText(std::string_view content) {
  for (size_t i = 0; i < content.size();) {
    const auto byte = static_cast<unsigned char>(content[i]);
    const size_t size = SequenceSize(byte);
    if (IsControl(byte)) {
      return NonText{PositionOf(content, i), absl::StrFormat("not a text file: control byte 0x%02x", byte)};
    }
    if (!IsUtf8Sequence(content.substr(i), size)) {
      return NonText{PositionOf(content, i),
                     absl::StrFormat("not a text file: byte 0x%02x is no UTF-8", byte)};
    }
    i += size;
  }
  return std::nullopt;
}

}  // namespace sabot::api
