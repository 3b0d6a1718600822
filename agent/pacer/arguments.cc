// SPDX-License-Identifier: Apache-2.0
#include "agent/pacer/arguments.h"

#include <limits>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "loader/status.h"

namespace sabot::pacer {
namespace {

// Takes the value of `name` out of `words`.
template <typename T>
absl::Status Take(std::vector<absl::string_view>& words, absl::string_view name, T& value) {
  std::string prefix = absl::StrCat("--", name, "=");
  for (auto word = words.begin(); word != words.end(); ++word) {
    absl::string_view text = *word;
    if (!absl::ConsumePrefix(&text, prefix)) continue;
    uint64_t number;
    if (!absl::SimpleAtoi(text, &number) || number > static_cast<uint64_t>(std::numeric_limits<T>::max()))
      return absl::InvalidArgumentError(absl::StrCat("not a number in range: ", *word));
    value = static_cast<T>(number);
    words.erase(word);
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("missing: ", prefix));
}

}  // namespace

std::vector<std::string> FormatArguments(const Arguments& arguments) {
  return {absl::StrCat("--tap-fd=", arguments.tap_fd),
          absl::StrCat("--heartbeat-fd=", arguments.heartbeat_fd),
          absl::StrCat("--heartbeat-index=", arguments.heartbeat_index),
          absl::StrCat("--max-bytes=", arguments.max_bytes),
          absl::StrCat("--max-hold-ms=", arguments.max_hold_ms)};
}

absl::StatusOr<Arguments> ParseArguments(std::span<const char* const> words) {
  std::vector<absl::string_view> left(words.begin(), words.end());
  Arguments arguments;
  SABOT_RETURN_IF_ERROR(Take(left, "tap-fd", arguments.tap_fd));
  SABOT_RETURN_IF_ERROR(Take(left, "heartbeat-fd", arguments.heartbeat_fd));
  SABOT_RETURN_IF_ERROR(Take(left, "heartbeat-index", arguments.heartbeat_index));
  SABOT_RETURN_IF_ERROR(Take(left, "max-bytes", arguments.max_bytes));
  SABOT_RETURN_IF_ERROR(Take(left, "max-hold-ms", arguments.max_hold_ms));
  if (!left.empty()) return absl::InvalidArgumentError(absl::StrCat("unexpected: ", left.front()));
  return arguments;
}

}  // namespace sabot::pacer
