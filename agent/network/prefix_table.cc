// SPDX-License-Identifier: Apache-2.0
#include "agent/network/prefix_table.h"

#include <utility>

namespace sabot::agent {
namespace {

using loader::Prefix;

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

PrefixTable::Changes PrefixTable::Set(int bit, const std::vector<Prefix>& prefixes) {
  const uint64_t mask = uint64_t{1} << bit;
  for (auto it = own_.begin(); it != own_.end();) {
    it->second &= ~mask;
    it = it->second == 0 ? own_.erase(it) : std::next(it);
  }
  for (const Prefix& prefix : prefixes) own_[prefix] |= mask;
  return Difference(Inherit(own_));
}

PrefixTable::Changes PrefixTable::Difference(std::map<Prefix, uint64_t> wanted) {
  Changes changes;
  const auto differs = [&](const Prefix& prefix, uint64_t rules) {
    if (prefix.host()) {
      changes.hosts.push_back({prefix, rules});
    } else {
      (prefix.v6 ? changes.nets6 : changes.nets4).emplace();
    }
  };
  for (const auto& [prefix, rules] : wanted) {
    auto old = effective_.find(prefix);
    if (old == effective_.end() || old->second != rules) differs(prefix, rules);
  }
  for (const auto& [prefix, rules] : effective_) {
    if (!wanted.contains(prefix)) differs(prefix, 0);
  }
  effective_ = std::move(wanted);
  for (const auto& [prefix, rules] : effective_) {
    auto& nets = prefix.v6 ? changes.nets6 : changes.nets4;
    if (nets && !prefix.host()) nets->push_back({prefix, rules});
  }
  return changes;
}

}  // namespace sabot::agent
