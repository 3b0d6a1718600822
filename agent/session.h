// SPDX-License-Identifier: Apache-2.0
//
// Everything that a process needs to hold faults: its place in the state directory, journal, reconciler and
// local socket. `sabot run` and `sabot-agent` are both one of these with a different source of the fault map.
#ifndef SABOT_AGENT_SESSION_H_
#define SABOT_AGENT_SESSION_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/journal.h"
#include "agent/local_socket.h"
#include "agent/reconciler.h"
#include "agent/state_dir.h"
#include "agent/undo.h"
#include "loader/probe.h"

namespace sabot::agent {

class Session {
 public:
  struct Options {
    std::string state_dir;     // empty: StateDir::DefaultPath()
    bool accept_maps = false;  // over the local socket
    Reconciler::Options reconciler;
  };
  // Undoes first what dead instances left; `repaired` tells what that was. FAILED_PRECONDITION while the
  // machine is halted and `accept_maps` is false.
  static absl::StatusOr<std::unique_ptr<Session>> Create(Options options, loader::Features features,
                                                         UndoReport& repaired);
  // Ends and undoes all.
  ~Session();

  Reconciler& reconciler() { return *reconciler_; }

 private:
  Session(Options options, loader::Features features, StateDir state_dir, Instance instance, Journal journal);

  sabot::v1::LocalResponse Answer(const sabot::v1::LocalRequest& request, ConnectionId connection);
  absl::Status ApplyFrom(ConnectionId connection, const sabot::v1::NodeFaultMap& map);
  void Disconnected(ConnectionId connection);

  std::string owner_;
  bool accept_maps_;
  loader::Features features_;
  StateDir state_dir_;
  Instance instance_;
  Journal journal_;
  std::unique_ptr<Reconciler> reconciler_;
  ConnectionId controller_ = 0;  // whose map is in force; 0: none. Server thread only.
  std::unique_ptr<LocalServer> server_;
};

}  // namespace sabot::agent

#endif  // SABOT_AGENT_SESSION_H_
