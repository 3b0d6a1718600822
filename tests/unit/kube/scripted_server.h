// SPDX-License-Identifier: Apache-2.0
//
// A server on the loopback device that answers as it is told, for what a real API server cannot be brought to
// do.
#ifndef SABOT_TESTS_UNIT_KUBE_SCRIPTED_SERVER_H_
#define SABOT_TESTS_UNIT_KUBE_SCRIPTED_SERVER_H_

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "controller/kube/config.h"
#include "loader/fd.h"

namespace sabot::test {

// "HTTP/1.1 CODE ..." with the headers and the body; the connection is closed behind it.
std::string Answer(int code, const std::string& body, const std::string& headers = "");

// Gives one answer per connection, in order, and the last one again and again. "" closes without a word.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::vector<std::string> answers);
  ~ScriptedServer();

  kube::Config config() const;
  int requests() const { return requests_; }

 private:
  void Serve();

  const std::vector<std::string> answers_;
  loader::UniqueFd listener_;
  int port_ = 0;
  std::atomic<int> requests_ = 0;
  std::thread thread_;
};

}  // namespace sabot::test

#endif  // SABOT_TESTS_UNIT_KUBE_SCRIPTED_SERVER_H_
