// SPDX-License-Identifier: Apache-2.0
//
// The command line of `sabot-helper pacer`, as written by StartPacer() and read by the helper.
#ifndef SABOT_AGENT_PACER_ARGUMENTS_H_
#define SABOT_AGENT_PACER_ARGUMENTS_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace sabot::pacer {

struct Arguments {
  int tap_fd = -1;
  int heartbeat_fd = -1;
  uint32_t heartbeat_index = 0;
  uint64_t max_bytes = 0;
  uint64_t max_hold_ms = 0;
};

// "--tap-fd=4" and so on, one for each field.
std::vector<std::string> FormatArguments(const Arguments& arguments);
// Every field must be given exactly as FormatArguments() gives it, in any order. Says which argument is
// wrong.
absl::StatusOr<Arguments> ParseArguments(std::span<const char* const> words);

}  // namespace sabot::pacer

#endif  // SABOT_AGENT_PACER_ARGUMENTS_H_
