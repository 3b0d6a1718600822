// SPDX-License-Identifier: Apache-2.0
//
// sabot-agent: holds the faults of one node, as the map that it is given says.
#include <signal.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "agent/metrics.h"
#include "agent/session.h"
#include "loader/probe.h"

namespace sabot::agent {
namespace {

struct Flags {
  std::string state_dir, metrics, helper;
  std::vector<std::string> mechanisms, no_features, cri_sockets;
};

int Fail(const absl::Status& status) {
  std::cerr << "sabot-agent: " << status.message() << "\n";
  return 1;
}

void Log(const sabot::v1::FaultStatus& fault) {
  std::cerr << "fault " << fault.id() << " " << fault.kind() << " on " << fault.target() << ": "
            << sabot::v1::FaultPhase_Name(fault.phase());
  if (!fault.mechanism().empty()) std::cerr << " by " << fault.mechanism();
  for (const auto& rung : fault.rejected())
    std::cerr << "; not " << rung.mechanism() << ": " << rung.reason();
  if (!fault.message().empty()) std::cerr << ": " << fault.message();
  std::cerr << std::endl;
}

int Serve(const Flags& flags) {
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // before any thread is made

  Session::Options options = {.state_dir = flags.state_dir, .accept_maps = true};
  options.reconciler.owner = "sabot-agent";
  options.reconciler.helper_path = flags.helper;
  options.reconciler.containers = CriLookup(flags.cri_sockets);
  options.reconciler.on_change = Log;
  options.reconciler.on_trouble = [](const absl::Status& status) { Fail(status); };
  for (const std::string& mechanism : flags.mechanisms) {
    if (absl::Status added = AddForcedMechanism(mechanism, options.reconciler.forced); !added.ok()) {
      Fail(added);
      return 2;
    }
  }
  auto features = loader::Features::Probe({.disabled = flags.no_features, .btf_path = ""});
  if (!features.ok()) {
    Fail(features.status());
    return 2;
  }
  UndoReport repaired;
  auto session = Session::Create(std::move(options), *std::move(features), repaired);
  if (!session.ok()) return Fail(session.status());
  for (const std::string& problem : repaired.problems) std::cerr << "sabot-agent: " << problem << "\n";
  if (repaired.undone > 0)
    std::cerr << "sabot-agent: undid " << repaired.undone << " deed(s) of a dead agent\n";
  std::unique_ptr<MetricsServer> metrics;
  if (!flags.metrics.empty()) {
    auto started = MetricsServer::Start(flags.metrics, (*session)->reconciler());
    if (!started.ok()) return Fail(started.status());
    metrics = *std::move(started);
  }
  std::cerr << "sabot-agent: ready" << std::endl;
  int signal = 0;
  sigwait(&signals, &signal);
  return 0;
}

}  // namespace
}  // namespace sabot::agent

int main(int argc, char** argv) {
  sabot::agent::Flags flags;
  CLI::App app(
      "Holds the faults of one node. Takes its fault map over the local socket; ends every fault when "
      "whoever "
      "gave the map disconnects.");
  app.add_option("--state-dir", flags.state_dir,
                 "Where journal and socket live (default: $SABOT_STATE_DIR or /run/sabot)");
  app.add_option("--metrics", flags.metrics, "Serve Prometheus metrics on HOST:PORT");
  app.add_option("--mechanism", flags.mechanisms, "FAMILY=RUNG: take this rung and no other");
  app.add_option("--no-feature", flags.no_features, "Do as if the kernel lacked this feature");
  app.add_option("--cri-socket", flags.cri_sockets, "Container runtime socket (default: the usual places)");
  app.add_option("--helper", flags.helper, "Path of sabot-helper (default: beside this program)");
  CLI11_PARSE(app, argc, argv);
  return sabot::agent::Serve(flags);
}
