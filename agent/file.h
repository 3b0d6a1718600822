// SPDX-License-Identifier: Apache-2.0
//
// Whole files, and what it takes to make them durable. Errors name the file and the errno.
#ifndef SABOT_AGENT_FILE_H_
#define SABOT_AGENT_FILE_H_

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "loader/fd.h"

namespace sabot::agent {

// All bytes of a file, files in /proc and /sys included. RESOURCE_EXHAUSTED if there are more than `limit`.
absl::StatusOr<std::string> ReadFile(const std::filesystem::path& path, size_t limit);

// open(2), with O_CLOEXEC.
absl::StatusOr<loader::UniqueFd> OpenFile(const std::filesystem::path& path, int flags, mode_t mode = 0);

// Writes all of `bytes` at `offset`. After an error some of them may be there.
absl::Status WriteAt(int fd, std::string_view bytes, size_t offset, const std::filesystem::path& path);

// Makes the bytes of an open file durable.
absl::Status SyncData(int fd, const std::filesystem::path& path);

// Makes the names in a directory durable.
absl::Status SyncDirectory(const std::filesystem::path& directory);

// Deletes a file; one that is not there is OK.
absl::Status RemoveFile(const std::filesystem::path& path);

}  // namespace sabot::agent

#endif  // SABOT_AGENT_FILE_H_
