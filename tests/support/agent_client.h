// SPDX-License-Identifier: Apache-2.0
//
// A `sabot-agent` under way and the client's end of its local socket (proto/sabot/v1/local.proto).
#ifndef SABOT_TESTS_SUPPORT_AGENT_CLIENT_H_
#define SABOT_TESTS_SUPPORT_AGENT_CLIENT_H_

#include <string>

#include "absl/time/time.h"
#include "loader/fd.h"
#include "sabot/v1/local.pb.h"
#include "tests/support/sabot_cli.h"
#include "tests/support/subprocess.h"

namespace sabot::test {

// One connection. Closing it gives up the lease on what was applied through it.
class AgentConnection {
 public:
  explicit AgentConnection(const std::string& socket_path);
  // Sends bytes as they are: for bad input.
  void SendRaw(const std::string& bytes);
  // ArrangementFailed when there is no answer in time.
  v1::LocalResponse Call(const v1::LocalRequest& request);
  v1::LocalResponse Apply(const v1::NodeFaultMap& map);
  v1::LocalResponse Status();
  // True if the other end has closed it.
  bool ClosedByPeer(absl::Duration timeout);

 private:
  loader::UniqueFd fd_;
};

class AgentProcess {
 public:
  // `sabot-agent --state-dir DIR`, and waits for its socket.
  explicit AgentProcess(const std::string& state_dir);
  AgentConnection Connect() const { return AgentConnection(socket_); }
  pid_t pid() const { return process_.pid(); }
  void Signal(int signal) { process_.Signal(signal); }
  // SIGTERM and the end.
  Finished Stop();

 private:
  Subprocess process_;
  std::string socket_;
};

}  // namespace sabot::test

#endif  // SABOT_TESTS_SUPPORT_AGENT_CLIENT_H_
