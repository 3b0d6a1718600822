// SPDX-License-Identifier: Apache-2.0
#include "agent/network/prefix_table.h"

#include <utility>

namespace sabot::agent {
namespace {

using loader::Prefix;

bool Covers(const Prefix& outer, const Prefix& inner) {
  if (outer.v6 != inner.v6 || outer.length > inner.length) return false;
  const int bytes = outer.length / 8, bits = outer.length % 8;
  for (int i = 0; i < bytes; ++i) {
    if (outer.address[i] != inner.address[i]) return false;
  }
  return bits == 0 || (outer.address[bytes] ^ inner.address[bytes]) >> (8 - bits) == 0;
}

// Prefixes are ordered so that one comes before all that it covers: a stack holds the ones around the current
// one.
std::map<Prefix, uint64_t> Inherit(const std::map<Prefix, uint64_t>& own) {
  std::map<Prefix, uint64_t> effective;
  std::vector<std::pair<Prefix, uint64_t>> around;
  for (const auto& [prefix, mask] : own) {
    while (!around.empty() && !Covers(around.back().first, prefix)) around.pop_back();
    const uint64_t all = mask | (around.empty() ? 0 : around.back().second);
    around.emplace_back(prefix, all);
    effective.emplace_hint(effective.end(), prefix, all);
  }
  return effective;
}

}  // namespace

std::vector<PrefixTable::Change> PrefixTable::Set(int bit, const std::vector<Prefix>& prefixes) {
  const uint64_t mask = uint64_t{1} << bit;
  for (auto it = own_.begin(); it != own_.end();) {
    it->second &= ~mask;
    it = it->second == 0 ? own_.erase(it) : std::next(it);
  }
  for (const Prefix& prefix : prefixes) own_[prefix] |= mask;
  return Difference(Inherit(own_));
}

std::vector<PrefixTable::Change> PrefixTable::Difference(std::map<Prefix, uint64_t> wanted) {
  std::vector<Change> changes;
  for (const auto& [prefix, mask] : wanted) {
    auto old = effective_.find(prefix);
    if (old == effective_.end() || old->second != mask) changes.push_back({prefix, mask});
  }
  for (const auto& [prefix, mask] : effective_) {
    if (!wanted.contains(prefix)) changes.push_back({prefix, 0});
  }
  effective_ = std::move(wanted);
  return changes;
}

}  // namespace sabot::agent
