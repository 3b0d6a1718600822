// SPDX-License-Identifier: Apache-2.0
#include "controller/api/go_quote.h"

#include "absl/strings/str_format.h"

namespace sabot::api {

std::string GoTimeQuote(std::string_view text) {
  constexpr size_t kMaxBytes = 100;
  std::string quoted = "\"";
  for (char c : text.substr(0, kMaxBytes)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || byte < ' ') {
      absl::StrAppendFormat(&quoted, "\\x%02x", byte);
      continue;
    }
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  if (text.size() > kMaxBytes) quoted += "...";
  return quoted + "\"";
}

}  // namespace sabot::api
