// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "agent/local_socket.h"

namespace sabot::agent {
namespace {

constexpr size_t kLengthBytes = 4;
// Bytes given out are dropped from the buffer when there are this many of them.
constexpr size_t kDropFrom = 64 * 1024;

size_t GetLength(const char* bytes) {
  size_t length = 0;
  for (size_t i = kLengthBytes; i-- > 0;) length = length << 8 | static_cast<uint8_t>(bytes[i]);
  return length;
}

}  // namespace

void FrameParser::Feed(std::string_view bytes) {
  if (!broken_) buffer_.append(bytes);
}

absl::StatusOr<std::optional<std::string>> FrameParser::Next() {
  if (!broken_ && buffered() < kLengthBytes) return std::nullopt;
  size_t length = broken_ ? 0 : GetLength(buffer_.data() + start_);
  if (broken_ || length > kMaxLocalFrame) {
    broken_ = true;
    buffer_ = std::string();
    start_ = 0;
    return absl::InvalidArgumentError(absl::StrCat("a frame above ", kMaxLocalFrame, " bytes"));
  }
  if (buffered() - kLengthBytes < length) return std::nullopt;
  std::string payload = buffer_.substr(start_ + kLengthBytes, length);
  start_ += kLengthBytes + length;
  if (start_ >= kDropFrom || start_ == buffer_.size()) {
    buffer_.erase(0, start_);
    start_ = 0;
    if (buffer_.empty()) buffer_.shrink_to_fit();
  }
  return payload;
}

std::string MakeFrame(std::string_view payload) {
  std::string frame;
  frame.reserve(kLengthBytes + payload.size());
  for (size_t i = 0; i < kLengthBytes; ++i) frame.push_back(static_cast<char>(payload.size() >> (8 * i)));
  return frame.append(payload);
}

}  // namespace sabot::agent
