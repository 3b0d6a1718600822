// SPDX-License-Identifier: Apache-2.0
//
// What is wrong with a file or an experiment, as values. Nothing here does I/O; all types may be copied and
// read from several threads.
#ifndef SABOT_CONTROLLER_API_PROBLEM_H_
#define SABOT_CONTROLLER_API_PROBLEM_H_

#include <string>

#include "absl/types/span.h"

namespace sabot::api {

// A place in a file, counted from 1. Line 0: not known (the object came from no file).
struct Position {
  int line = 0;
  int column = 0;
};

enum class Severity {
  kError,    // the object, or the file, is not used
  kWarning,  // it is used, and probably does not do what its author wanted
};

struct Problem {
  Severity severity = Severity::kError;
  std::string file;  // as the caller named it; empty when the object came from no file
  int line = 0;      // from 1; 0 when not known
  int column = 0;    // from 1; 0 when not known
  std::string
      field;  // JSON path, "spec.delay.latency" or "spec.externalTargets[1]"; empty: the object as a whole
  std::string message;  // one line, never empty, at most about 1 KiB
};

// "FILE:LINE: spec.delay.latency: message", without the parts that are empty or not known. A warning has
// "warning: " before its field.
std::string ToString(const Problem& problem);

// True if one of them is an error.
bool HasErrors(absl::Span<const Problem> problems);

}  // namespace sabot::api

#endif  // SABOT_CONTROLLER_API_PROBLEM_H_
