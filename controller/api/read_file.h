// SPDX-License-Identifier: Apache-2.0
#ifndef SABOT_CONTROLLER_API_READ_FILE_H_
#define SABOT_CONTROLLER_API_READ_FILE_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

namespace sabot::api {

// All of a file ("-": standard input), if it has at most `limit` bytes. Of more, `limit` + 1 bytes are read
// at most and ResourceExhausted names the size and the limit. Pipes and the like are read in the same way.
// Errors name the attempt and the errno.
absl::StatusOr<std::string> ReadFile(const std::string& path, size_t limit);

}  // namespace sabot::api

#endif  // SABOT_CONTROLLER_API_READ_FILE_H_
