// SPDX-License-Identifier: Apache-2.0
#include "controller/plan/external_target.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "controller/api/report.h"
#include "controller/api/str_cat.h"

namespace sabot::plan {
namespace {

bool IsHostName(std::string_view text) {
  if (text.empty() || text.size() > 253 || !absl::ascii_isalnum(text.front())) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.'; });
}

bool IsNumber(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return absl::ascii_isdigit(c); });
}

// "10.0.0.1:80", "10.0.0.0/8:80", "[::1]:80", "example.com:80".
bool HasPort(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || !IsNumber(text.substr(colon + 1))) return false;
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return IpPrefix::Parse(host).ok() || IsHostName(host);
}

}  // namespace

absl::StatusOr<IpPrefix> ParseExternalTarget(std::string_view text) {
  absl::StatusOr<IpPrefix> prefix = IpPrefix::Parse(text);
  if (prefix.ok()) return prefix;
  if (HasPort(text)) return absl::UnimplementedError("ports are not supported by this version");
  // Digits and dots alone are an address that somebody mistyped.
  const bool numeric = text.find_first_not_of("0123456789./") == std::string_view::npos;
  if (numeric || !IsHostName(text)) {
    return absl::InvalidArgumentError(
        api::StrCat(api::Quoted(text), " is no address, no prefix and no host name"));
  }
  return absl::UnimplementedError("host names are not supported by this version");
}

}  // namespace sabot::plan
