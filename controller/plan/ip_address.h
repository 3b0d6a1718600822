// SPDX-License-Identifier: Apache-2.0
//
// IPv4 and IPv6 addresses and prefixes as values.
#ifndef SABOT_CONTROLLER_PLAN_IP_ADDRESS_H_
#define SABOT_CONTROLLER_PLAN_IP_ADDRESS_H_

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace sabot::plan {

class IpAddress {
 public:
  // "10.0.0.1" or "fd00::1", without zone or prefix. An IPv4 address written as IPv6 (::ffff:10.0.0.1) is the
  // IPv4 address, which is what packets carry. InvalidArgument otherwise.
  static absl::StatusOr<IpAddress> Parse(std::string_view text);

  // 4 or 16 bytes in network order; InvalidArgument for any other number of them.
  static absl::StatusOr<IpAddress> FromBytes(absl::Span<const uint8_t> bytes);

  // In network order, 4 or 16.
  absl::Span<const uint8_t> bytes() const { return {bytes_.data(), size_}; }
  int bits() const { return static_cast<int>(size_) * 8; }
  std::string ToString() const;

  auto operator<=>(const IpAddress&) const = default;

 private:
  friend struct IpPrefix;
  size_t size_ = 4;
  std::array<uint8_t, 16> bytes_ = {};
};

struct IpPrefix {
  // "10.0.0.0/8", "fd00::/64", or an address alone, which is its /32 or /128. Bits behind the prefix are
  // cleared.
  static absl::StatusOr<IpPrefix> Parse(std::string_view text);
  // The prefix of this address alone.
  static IpPrefix Of(const IpAddress& address) { return {address, address.bits()}; }

  std::string ToString() const;

  auto operator<=>(const IpPrefix&) const = default;

  IpAddress address;  // bits behind `length` are zero
  int length = 32;    // 0 to 32 or 0 to 128
};

}  // namespace sabot::plan

#endif  // SABOT_CONTROLLER_PLAN_IP_ADDRESS_H_
