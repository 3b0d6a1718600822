// SPDX-License-Identifier: Apache-2.0
//
// Which rules of a lane match which address, as entries for the network programs. These find one entry only,
// so each entry carries the rules of every prefix that covers it.
#ifndef SABOT_AGENT_NETWORK_PREFIX_TABLE_H_
#define SABOT_AGENT_NETWORK_PREFIX_TABLE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "loader/prefix.h"

namespace sabot::agent {

// Pure; thread-compatible.
class PrefixTable {
 public:
  // What the programs' maps need to be equal to the table, given that all earlier changes were made.
  struct Changes {
    std::vector<loader::PrefixRules> hosts;  // whole addresses that differ; no rules: erase
    // All shorter prefixes of a family, if any of them differs.
    std::optional<std::vector<loader::PrefixRules>> nets4, nets6;
  };

  // Makes `prefixes` those of rule `bit` (0 to 63).
  Changes Set(int bit, const std::vector<loader::Prefix>& prefixes);

 private:
  Changes Difference(std::map<loader::Prefix, uint64_t> wanted);

  std::map<loader::Prefix, uint64_t> own_;        // rules that named the prefix themselves
  std::map<loader::Prefix, uint64_t> effective_;  // what the programs have
};

}  // namespace sabot::agent

#endif  // SABOT_AGENT_NETWORK_PREFIX_TABLE_H_
