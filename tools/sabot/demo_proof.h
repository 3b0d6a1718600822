// SPDX-License-Identifier: Apache-2.0
//
// What of this machine a fault could have left behind, as countable things.
#ifndef SABOT_TOOLS_SABOT_DEMO_PROOF_H_
#define SABOT_TOOLS_SABOT_DEMO_PROOF_H_

#include <map>
#include <set>
#include <string>

namespace sabot::cli {

// Things of each sort by a name that tells them apart: "BPF programs" -> {"1234 sabot_egress"}, ...
using HostState = std::map<std::string, std::set<std::string>>;

// Of BPF objects only those named sabot*: others come and go with the machine's own life.
HostState ReadHostState(const std::string& state_dir);

// A line per sort: how many before and after, and what is new. `clean`: nothing is.
std::string CompareHostStates(const HostState& before, const HostState& after, bool& clean);

}  // namespace sabot::cli

#endif  // SABOT_TOOLS_SABOT_DEMO_PROOF_H_
