// SPDX-License-Identifier: Apache-2.0
//
// Checks of values that several kinds have in common, with upstream's messages. They look at the C++ types,
// so that an object that came from elsewhere than a file is checked by the same code.
#ifndef SABOT_CONTROLLER_API_VALIDATION_H_
#define SABOT_CONTROLLER_API_VALIDATION_H_

#include <string>
#include <string_view>
#include <vector>

#include "controller/api/report.h"
#include "controller/api/selector.h"
#include "controller/api/source.h"

namespace sabot::api {

// Says what is wrong by path; finds the lines. Both must outlive it.
class Validation {
 public:
  Validation(Report& report, const Source& source) : report_(report), source_(source) {}

  void Error(std::string_view path, std::string_view message) const {
    report_.Error(source_.Find(path), path, message);
  }
  void Warning(std::string_view path, std::string_view message) const {
    report_.Warning(source_.Find(path), path, message);
  }

 private:
  Report& report_;
  const Source& source_;
};

// `duration`, `latency`, `jitter`: Go durations, or empty. A negative one is a warning: upstream admits it.
void ValidateDuration(const Validation& to, std::string_view path, std::string_view text);

// A percentage that upstream keeps in a string: any Go float; a warning when it is not within 0 to 100.
void ValidatePercentString(const Validation& to, std::string_view path, std::string_view text);

void ValidateRate(const Validation& to, std::string_view path, std::string_view text);

// `path` is that of the object that holds `selector`, `mode` and `value`: "spec" or "spec.target". What is
// wrong within `selector` is a warning: upstream looks at it only when it selects.
void ValidatePodSelector(const Validation& to, std::string_view path, const PodSelector& selector);

}  // namespace sabot::api

#endif  // SABOT_CONTROLLER_API_VALIDATION_H_
