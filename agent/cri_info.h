// SPDX-License-Identifier: Apache-2.0
//
// What runtimes tell about a container beyond CRI's own fields.
#ifndef SABOT_AGENT_CRI_INFO_H_
#define SABOT_AGENT_CRI_INFO_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sabot::agent {

struct CriInfo {
  std::optional<int64_t> pid;  // as written; absent if there is no integer of that name
  std::string sandbox_id;
};

// Reads JSON of any shape, size and depth without building it in memory. What is not a JSON object has
// nothing to tell. Pure.
CriInfo ParseCriInfo(std::string_view json);

}  // namespace sabot::agent

#endif  // SABOT_AGENT_CRI_INFO_H_
