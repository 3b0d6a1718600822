// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/metrics.h"
#include "agent/session.h"
#include "loader/status.h"
#include "tools/sabot/commands.h"
#include "tools/sabot/local_inventory.h"
#include "tools/sabot/run_view.h"

namespace sabot::cli {
namespace {

// Blocks the signals that end a run, for this thread and those that it makes later.
sigset_t BlockEndingSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// True if one of them came within a tenth of a second.
bool Signalled(const sigset_t& signals) {
  const timespec tenth = {.tv_sec = 0, .tv_nsec = 100'000'000};
  return sigtimedwait(&signals, nullptr, &tenth) > 0;
}

uint32_t CountPeers(const sabot::v1::NodeFaultMap& map) {
  uint32_t peers = 1;
  for (const auto& fault : map.faults()) peers += fault.network().peers_size();
  return peers;
}

absl::StatusOr<std::unique_ptr<agent::Session>> StartSession(const RunOptions& options,
                                                             const agent::ContainerLookup& containers,
                                                             const sabot::v1::NodeFaultMap& map,
                                                             agent::ForcedMechanisms forced,
                                                             loader::Features features) {
  agent::Session::Options session = {.state_dir = options.state_dir, .accept_maps = false};
  session.reconciler.owner = absl::StrCat("sabot run ", absl::StrJoin(options.files, " "));
  session.reconciler.forced = std::move(forced);
  session.reconciler.helper_path = options.helper_path;
  session.reconciler.containers = containers;
  session.reconciler.max_faults = std::max(1, map.faults_size());
  session.reconciler.max_peers = CountPeers(map);
  session.reconciler.max_targets = session.reconciler.max_faults;
  session.reconciler.on_trouble = [](const absl::Status& status) { PrintError(status); };
  agent::UndoReport repaired;
  auto started = agent::Session::Create(std::move(session), std::move(features), repaired);
  for (const std::string& problem : repaired.problems) PrintError(problem);
  if (repaired.undone > 0)
    PrintError(absl::StrCat("undid ", repaired.undone, " deed(s) of a run that was killed"));
  return started;
}

bool AllWell(const RunView::Faults& faults) {
  return !faults.empty() && std::all_of(faults.begin(), faults.end(), [](const auto& fault) {
    return fault.phase() == sabot::v1::RECOVERED || fault.phase() == sabot::v1::EXPIRED;
  });
}

int Hold(agent::Reconciler& reconciler, const sabot::v1::NodeFaultMap& map, Format format,
         const sigset_t& signals) {
  if (absl::Status applied = reconciler.Apply(map); !applied.ok()) {
    PrintError(applied);
    return kExitFailed;
  }
  const auto view = RunView::Create(format);
  view->Applied(reconciler.Status());
  for (int tenths = 1; !Signalled(signals) && !reconciler.WaitUntilOver(absl::ZeroDuration()); ++tenths) {
    if (tenths % 10 == 0) view->Progress(reconciler.Status());
  }
  sabot::v1::NodeFaultMap none;
  none.set_revision(map.revision());
  const absl::Status ended = reconciler.Apply(none);
  const auto faults = reconciler.Status();
  view->Ended(faults);
  if (!ended.ok()) PrintError(ended);
  return AllWell(faults) ? kExitOk : kExitFailed;
}

}  // namespace

int Run(const RunOptions& options) {
  const sigset_t signals = BlockEndingSignals();
  agent::ForcedMechanisms forced;
  for (const std::string& mechanism : options.mechanisms) {
    if (absl::Status added = agent::AddForcedMechanism(mechanism, forced); !added.ok()) {
      PrintError(added);
      return kExitBadInput;
    }
  }
  auto features = loader::Features::Probe({.disabled = options.no_features, .btf_path = ""});
  if (!features.ok()) {
    PrintError(features.status());
    return kExitBadInput;
  }
  const agent::ContainerLookup containers = agent::CriLookup(options.cri_sockets);
  const LocalPlan plan = PlanLocally(options, containers);
  PrintProblems(plan.problems);
  if (!plan.ok()) return kExitBadInput;
  if (geteuid() != 0) {
    PrintError(
        "injecting faults needs root; run it with sudo (`sabot plan` and `sabot validate` do not need it)");
    return kExitFailed;
  }
  auto session = StartSession(options, containers, plan.map(), std::move(forced), *std::move(features));
  if (!session.ok()) {
    PrintError(session.status());
    return kExitFailed;
  }
  std::unique_ptr<agent::MetricsServer> metrics;
  if (!options.metrics.empty()) {
    auto started = agent::MetricsServer::Start(options.metrics, (*session)->reconciler());
    if (!started.ok()) {
      PrintError(started.status());
      return kExitBadInput;
    }
    metrics = *std::move(started);
  }
  return Hold((*session)->reconciler(), plan.map(), options.format, signals);
}

}  // namespace sabot::cli
