// SPDX-License-Identifier: Apache-2.0
//
// Errors of system calls as absl::Status, and the project's two macros that return.
#ifndef SABOT_LOADER_STATUS_H_
#define SABOT_LOADER_STATUS_H_

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace sabot {

// "<attempt>: <strerror>", with the code that corresponds to `error` (a positive errno). `attempt` says what
// was tried on what: "attach tcx egress to eth0 in netns 4026532589".
inline absl::Status ErrnoStatus(int error, std::string_view attempt) {
  return absl::ErrnoToStatus(error, absl::string_view(attempt.data(), attempt.size()));
}

}  // namespace sabot

#define SABOT_CONCAT_(a, b) a##b
#define SABOT_CONCAT(a, b) SABOT_CONCAT_(a, b)

// Returns from the function if `expr`, an absl::Status, is not OK.
#define SABOT_RETURN_IF_ERROR(expr)                                                  \
  do {                                                                               \
    if (absl::Status sabot_status = (expr); !sabot_status.ok()) return sabot_status; \
  } while (0)

// `decl = value of expr`, or returns the status of `expr`, an absl::StatusOr.
#define SABOT_ASSIGN_OR_RETURN(decl, expr) \
  SABOT_ASSIGN_OR_RETURN_(SABOT_CONCAT(sabot_result_, __LINE__), decl, expr)
#define SABOT_ASSIGN_OR_RETURN_(result, decl, expr) \
  auto result = (expr);                             \
  if (!result.ok()) return result.status();         \
  decl = *std::move(result)

#endif  // SABOT_LOADER_STATUS_H_
