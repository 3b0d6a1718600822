// SPDX-License-Identifier: Apache-2.0
//
// What `sabot doctor` says about rungs, and a second opinion that does not rely on it.
#ifndef SABOT_TESTS_SUPPORT_DOCTOR_H_
#define SABOT_TESTS_SUPPORT_DOCTOR_H_

#include <string>

#include "nlohmann/json.hpp"

namespace sabot::test {

struct RungVerdict {
  bool listed = false;  // doctor knows the rung at all
  bool usable = false;
  std::string why;  // when it is not usable
};

// From the JSON of `sabot doctor -o json`.
RungVerdict VerdictOn(const nlohmann::json& doctor, const std::string& effect, const std::string& mechanism,
                      const std::string& fault = "network");

// "" when the kernel gives us all that this rung is built on, otherwise what it refuses. Remembered per
// mechanism.
std::string KernelRefuses(const std::string& mechanism);

}  // namespace sabot::test

#endif  // SABOT_TESTS_SUPPORT_DOCTOR_H_
