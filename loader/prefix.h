// SPDX-License-Identifier: Apache-2.0
//
// Sets of addresses as the network programs match them.
#ifndef SABOT_LOADER_PREFIX_H_
#define SABOT_LOADER_PREFIX_H_

#include <array>
#include <compare>
#include <cstdint>

namespace sabot::loader {

// An IPv4 or IPv6 prefix; bits behind `length` are zero. Ordered so that a prefix stands right before the
// ones that it covers.
struct Prefix {
  bool v6 = false;
  std::array<uint8_t, 16> address = {};
  uint8_t length = 0;

  // The whole address.
  bool host() const { return length == (v6 ? 128 : 32); }

  auto operator<=>(const Prefix&) const = default;
};

// Whether every address of `inner` is one of `outer`.
bool Covers(const Prefix& outer, const Prefix& inner);

// A prefix and the rules (a mask of bits) that an address has whose longest prefix this is.
struct PrefixRules {
  Prefix prefix;
  uint64_t rules;
};

}  // namespace sabot::loader

#endif  // SABOT_LOADER_PREFIX_H_
