// SPDX-License-Identifier: Apache-2.0
//
// How a test gives up when its own arrangements fail (a namespace cannot be made, a socket not be bound).
//
// These are exceptions, unlike in the product: GoogleTest reports them as a failure of that test, and
// unwinding runs the destructors that take namespaces, processes and control groups away again.
#ifndef SABOT_TESTS_SUPPORT_REQUIRE_H_
#define SABOT_TESTS_SUPPORT_REQUIRE_H_

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

namespace sabot::test {

// The test could not be set up or carried out; says nothing about the product.
class ArrangementFailed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Throws ArrangementFailed with "<attempt>" unless `condition`.
inline void Require(bool condition, const std::string& attempt) {
  if (!condition) throw ArrangementFailed(attempt);
}

// Throws ArrangementFailed with "<attempt>: <strerror>" if `result` is negative; otherwise returns it.
inline int RequireSyscall(int result, const std::string& attempt) {
  int error = errno;
  if (result < 0) throw ArrangementFailed(attempt + ": " + std::strerror(error));
  return result;
}

}  // namespace sabot::test

#endif  // SABOT_TESTS_SUPPORT_REQUIRE_H_
