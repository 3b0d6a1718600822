// SPDX-License-Identifier: Apache-2.0
//
// Which rules of a lane match which address, as entries for the kernel's longest-prefix tries. The kernel
// finds one entry only, so each entry carries the rules of every prefix that covers it.
#ifndef SABOT_AGENT_NETWORK_PREFIX_TABLE_H_
#define SABOT_AGENT_NETWORK_PREFIX_TABLE_H_

#include <cstdint>
#include <map>
#include <vector>

#include "loader/network_programs.h"

namespace sabot::agent {

// Pure; thread-compatible.
class PrefixTable {
 public:
  struct Change {
    loader::Prefix prefix;
    uint64_t mask;  // 0: erase
  };

  // Makes `prefixes` those of rule `bit` (0 to 63). Returns what the kernel's tries need to be equal to the
  // table, given that all earlier changes were made: only entries that differ.
  std::vector<Change> Set(int bit, const std::vector<loader::Prefix>& prefixes);

 private:
  std::vector<Change> Difference(std::map<loader::Prefix, uint64_t> wanted);

  std::map<loader::Prefix, uint64_t> own_;        // rules that named the prefix themselves
  std::map<loader::Prefix, uint64_t> effective_;  // what the kernel has
};

}  // namespace sabot::agent

#endif  // SABOT_AGENT_NETWORK_PREFIX_TABLE_H_
