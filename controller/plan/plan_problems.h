// SPDX-License-Identifier: Apache-2.0
#ifndef SABOT_CONTROLLER_PLAN_PLAN_PROBLEMS_H_
#define SABOT_CONTROLLER_PLAN_PLAN_PROBLEMS_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "controller/api/problem.h"
#include "controller/api/source.h"

namespace sabot::plan {

// Collects the problems of one experiment while it is planned. Both must outlive it.
class PlanProblems {
 public:
  PlanProblems(const api::Source& source, std::vector<api::Problem>& problems)
      : source_(source), problems_(problems) {}

  // `field` is a path within the experiment: "spec.delay.jitter".
  void Error(std::string_view field, std::string_view message) {
    ++errors_;
    problems_.push_back(source_.MakeProblem(api::Severity::kError, field, message));
  }
  void Warning(std::string_view field, std::string_view message) {
    problems_.push_back(source_.MakeProblem(api::Severity::kWarning, field, message));
  }
  // How many errors so far.
  size_t errors() const { return errors_; }

 private:
  const api::Source& source_;
  std::vector<api::Problem>& problems_;
  size_t errors_ = 0;
};

}  // namespace sabot::plan

#endif  // SABOT_CONTROLLER_PLAN_PLAN_PROBLEMS_H_
