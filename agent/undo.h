// SPDX-License-Identifier: Apache-2.0
//
// Repair from journals alone: what instances left behind that were killed, or that could not undo everything.
#ifndef SABOT_AGENT_UNDO_H_
#define SABOT_AGENT_UNDO_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/state_dir.h"

namespace sabot::agent {

struct UndoReport {
  int instances = 0;  // dead ones that were looked at
  int undone = 0;     // deeds
  // Deeds that could not be undone, and journals that are damaged, one sentence each. What is named here is
  // tried again by the next call.
  std::vector<std::string> problems;
};

// Undoes, newest first, what the journals of all dead instances say. Live instances are not touched.
// Idempotent; safe while other processes do the same.
absl::StatusOr<UndoReport> UndoDeadInstances(const StateDir& state_dir);

}  // namespace sabot::agent

#endif  // SABOT_AGENT_UNDO_H_
