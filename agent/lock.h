// SPDX-License-Identifier: Apache-2.0
//
// Locks on files that the kernel releases with the file, and that can be looked at without being taken.
#ifndef SABOT_AGENT_LOCK_H_
#define SABOT_AGENT_LOCK_H_

#include <filesystem>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "loader/fd.h"

namespace sabot::agent {

// Opens the file at `path` (which is there, or is made if `create`) and locks it. nullopt: somebody else
// holds the lock. NOT_FOUND if it is not there, also if it is removed meanwhile: the lock is on what `path`
// names.
absl::StatusOr<std::optional<loader::UniqueFd>> TryLock(const std::filesystem::path& path,
                                                        bool create = false);

// Whether somebody holds the lock; false if there is no such file.
absl::StatusOr<bool> IsLocked(const std::filesystem::path& path);

}  // namespace sabot::agent

#endif  // SABOT_AGENT_LOCK_H_
