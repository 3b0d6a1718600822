// SPDX-License-Identifier: Apache-2.0
#include "controller/plan/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "absl/status/status.h"
#include "controller/api/report.h"
#include "controller/api/str_cat.h"

namespace sabot::plan {
namespace {

using api::Quoted;
using api::StrCat;

constexpr size_t kMaxText = 64;  // longer than any address with its prefix length
constexpr std::array<uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

// Clears the bits behind the first `length`.
void Mask(std::array<uint8_t, 16>& bytes, int length) {
  for (int i = 0; i < 16; ++i) {
    const int keep = std::clamp(length - i * 8, 0, 8);
    bytes[i] &= static_cast<uint8_t>(0xFF00 >> keep);
  }
}

}  // namespace

absl::StatusOr<IpAddress> IpAddress::Parse(std::string_view text) {
  std::array<uint8_t, 16> bytes = {};
  const std::string terminated(text.substr(0, kMaxText));
  if (text.size() < kMaxText && text.find('\0') == text.npos) {
    if (inet_pton(AF_INET, terminated.c_str(), bytes.data()) == 1) return FromBytes({bytes.data(), 4});
    if (inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1) return FromBytes({bytes.data(), 16});
  }
  return absl::InvalidArgumentError(StrCat(Quoted(text), " is no IP address"));
}

absl::StatusOr<IpAddress> IpAddress::FromBytes(absl::Span<const uint8_t> bytes) {
  if (bytes.size() != 4 && bytes.size() != 16) {
    return absl::InvalidArgumentError(StrCat("an IP address has 4 or 16 bytes, not ", bytes.size()));
  }
  if (bytes.size() == 16 && std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin())) {
    bytes.remove_prefix(kMappedPrefix.size());
  }
  IpAddress address;
  address.size_ = bytes.size();
  std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
  return address;
}

std::string IpAddress::ToString() const {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(size_ == 4 ? AF_INET : AF_INET6, bytes_.data(), text, sizeof(text));
  return text;
}

absl::StatusOr<IpPrefix> IpPrefix::Parse(std::string_view text) {
  const size_t slash = text.find('/');
  absl::StatusOr<IpAddress> address = IpAddress::Parse(text.substr(0, slash));
  if (!address.ok()) return absl::InvalidArgumentError(StrCat(Quoted(text), " is no IP address or prefix"));
  if (slash == std::string_view::npos) return Of(*address);

  const std::string_view digits = text.substr(slash + 1);
  const char* end = digits.data() + digits.size();
  int length = -1;
  const auto result = std::from_chars(digits.data(), end, length);
  // The length counts the bits as written: ::ffff:10.0.0.0/104 is 10.0.0.0/8.
  const bool mapped = address->bits() == 32 && text.substr(0, slash).find(':') != text.npos;
  if (mapped) length -= 96;
  if (result.ec != std::errc() || result.ptr != end || length < 0 || length > address->bits()) {
    return absl::InvalidArgumentError(StrCat(Quoted(text), " has no valid prefix length"));
  }
  IpPrefix prefix{*address, length};
  Mask(prefix.address.bytes_, length);
  return prefix;
}

std::string IpPrefix::ToString() const { return StrCat(address.ToString(), "/", length); }

}  // namespace sabot::plan
