// SPDX-License-Identifier: Apache-2.0
//
// The stage of one conformance test: a network, the binary with its own state directory, a snapshot of the
// host before, and the manifest of the cell's effect on packets from the target to the peer.
#ifndef SABOT_TESTS_HOST_SCENARIO_H_
#define SABOT_TESTS_HOST_SCENARIO_H_

#include <memory>
#include <string>
#include <vector>

#include "tests/host/cell.h"
#include "tests/support/host_snapshot.h"
#include "tests/support/manifest.h"
#include "tests/support/network.h"
#include "tests/support/sabot_cli.h"
#include "tests/support/sabot_run.h"

namespace sabot::test {

class Scenario {
 public:
  explicit Scenario(const Cell& cell);

  const Cell& cell() const { return cell_; }
  const Effect& effect() const { return *cell_.effect; }
  const SabotCli& cli() const { return cli_; }
  TestNetwork& network() { return network_; }

  // Egress of the target to both of the peer's eth0 addresses, at the strength that can be measured, or at
  // the one that each datagram shows.
  NetworkChaos Moderate() const;
  NetworkChaos Strong() const;
  // `--target` for the target and, in manifests that select the peer as `target`, for that.
  std::vector<std::string> TargetArgs(bool with_peer = false) const;

  // `sabot run` of these manifests on the cell's rung; does not wait.
  std::unique_ptr<SabotRun> Start(const std::vector<NetworkChaos>& experiments, bool with_peer = false);
  // The same, and waits until every experiment is injected, by the rung that was asked for.
  std::unique_ptr<SabotRun> Inject(const NetworkChaos& experiment, FaultReport* injected = nullptr);

  // Datagrams from `from` to `to`, all of which shall be hit, or none.
  void ExpectHit(const Host& from, const Host& to, int packets = 60);
  void ExpectUnhurt(const Host& from, const Host& to, int packets = 60);
  void ExpectHit(const Host& from, const Host& to, const Address& address, int packets = 60);
  void ExpectUnhurt(const Host& from, const Host& to, const Address& address, int packets = 60);

  // The run said what it should, undid everything and left with 0.
  void ExpectGoodEnd(const RunEnd& end, const std::string& phase);
  // Programs, qdiscs, processes... are what they were when the scenario began. Remembered for the table.
  void ExpectHostAsBefore();

 private:
  const Cell& cell_;
  SabotCli cli_;
  TestNetwork network_;
  SnapshotScope scope_;
  HostSnapshot before_;
};

}  // namespace sabot::test

#endif  // SABOT_TESTS_HOST_SCENARIO_H_
