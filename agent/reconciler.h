// SPDX-License-Identifier: Apache-2.0
//
// Makes the node equal to its fault map. One thread of its own does all of it: it is the only one that
// touches the kernel, the journal and the injections.
//
// While any fault lives it wakes four times a second: extends the lease by three seconds, sees whether
// targets and devices are still the same, ends what is due. At rest it sleeps.
#ifndef SABOT_AGENT_RECONCILER_H_
#define SABOT_AGENT_RECONCILER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/journal.h"
#include "agent/ladder.h"
#include "agent/state_dir.h"
#include "agent/target.h"
#include "loader/probe.h"
#include "sabot/v1/fault.pb.h"

namespace sabot::agent {

// All functions may be called from any thread.
class Reconciler {
 public:
  struct Options {
    std::string owner;  // this process in messages to others: "sabot run examples/delay.yaml"
    ForcedMechanisms forced;
    std::string helper_path;  // empty: beside this program
    uint32_t max_targets = 2048;
    uint32_t max_faults = 8192;
    uint32_t max_peers = 262'144;  // whole addresses of one family in the peer lists of all faults
    ContainerLookup containers;
    // Told of every change of a fault's phase, on the owner thread; must not call back. May be empty.
    std::function<void(const sabot::v1::FaultStatus&)> on_change;
    // Told of what went wrong while following targets, on the owner thread. May be empty.
    std::function<void(const absl::Status&)> on_trouble;
  };
  // Journal, state directory and features are used by the owner thread alone from here on, and outlive this.
  static std::unique_ptr<Reconciler> Start(Options options, Journal& journal, const StateDir& state_dir,
                                           const loader::Features& features);
  // Ends every fault, waits until all is undone (or known to be left over), and joins the thread.
  ~Reconciler();

  // Makes `map` the desired state, and returns when each of its faults was applied, rejected or found to have
  // to wait, and each that left was undone or found to be stuck. INVALID_ARGUMENT for a map that contradicts
  // itself, FAILED_PRECONDITION for a lower revision than the last or while the machine is halted: nothing
  // changes then.
  absl::Status Apply(const sabot::v1::NodeFaultMap& map);

  // What is really there, with counters of this moment: every fault of the desired map, and those that ended
  // since the last Apply().
  std::vector<sabot::v1::FaultStatus> Status();

  // Ends everything and refuses maps until Resume(). Returns when it is done.
  void Halt();

  // Whoever gave the map is gone: ends everything, and takes any revision next. Does not wait.
  void Release();

  // Waits until no fault is pending or acting, or `timeout` has passed; true in the first case.
  bool WaitUntilOver(absl::Duration timeout);

 private:
  class Loop;
  explicit Reconciler(std::unique_ptr<Loop> loop);

  std::unique_ptr<Loop> loop_;
};

}  // namespace sabot::agent

#endif  // SABOT_AGENT_RECONCILER_H_
