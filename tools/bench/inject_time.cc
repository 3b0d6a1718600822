// SPDX-License-Identifier: Apache-2.0
//
// inject_time [RUNG]: how long it takes from a fault map to its effect in the kernel, and back: one target
// many times, and a thousand namespaces at once. What the agent needs at rest. Needs root; all namespaces are
// its own.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/session.h"
#include "loader/clock.h"
#include "loader/netlink.h"
#include "loader/netlink_link.h"
#include "loader/netns.h"
#include "loader/status.h"

namespace sabot {
namespace {

constexpr int kMany = 1000;
constexpr int kRepeats = 200;
constexpr double kOneBoundMs = 20, kManyBoundMs = 1000;

double Ms(uint64_t begin_ns) { return static_cast<double>(loader::MonotonicNs() - begin_ns) / 1e6; }

absl::StatusOr<loader::Netns> NamespaceWithDevice() {
  SABOT_ASSIGN_OR_RETURN(loader::Netns netns, loader::Netns::Create());
  SABOT_ASSIGN_OR_RETURN(loader::Netlink netlink, loader::Netlink::Open(netns));
  SABOT_ASSIGN_OR_RETURN(const int ifindex, loader::CreateLink(netlink, "ifb", "eth0"));
  SABOT_RETURN_IF_ERROR(loader::SetLinkUp(netlink, ifindex, true));
  return netns;
}

sabot::v1::NodeFaultMap MapOf(const std::vector<loader::Netns>& targets, size_t count, uint64_t revision) {
  sabot::v1::NodeFaultMap map;
  map.set_revision(revision);
  for (size_t i = 0; i < count; ++i) {
    auto* fault = map.add_faults();
    fault->set_id(absl::StrCat("bench/", i, "/loss"));
    fault->mutable_target()->set_name(absl::StrCat("bench/", i));
    fault->mutable_target()->set_netns(absl::StrCat("/proc/", getpid(), "/fd/", targets[i].fd()));
    auto* network = fault->mutable_network();
    network->set_direction(sabot::v1::NetworkFault::EGRESS);
    network->set_all_peers(true);
    network->mutable_loss()->set_percent(10);
  }
  return map;
}

absl::Status AllInjected(agent::Reconciler& reconciler, size_t count) {
  size_t injected = 0;
  for (const auto& fault : reconciler.Status()) {
    if (fault.phase() == sabot::v1::INJECTED) {
      ++injected;
    } else if (fault.phase() != sabot::v1::RECOVERED) {
      return absl::InternalError(absl::StrCat(fault.id(), ": ", fault.message()));
    }
  }
  if (injected == count) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(injected, " of ", count, " injected"));
}

// Times Apply() of a map with `count` faults, and of an empty one.
absl::Status Cycle(agent::Reconciler& reconciler, const std::vector<loader::Netns>& targets, size_t count,
                   uint64_t& revision, std::vector<double>& inject, std::vector<double>& recover) {
  const auto map = MapOf(targets, count, ++revision);
  uint64_t begin = loader::MonotonicNs();
  SABOT_RETURN_IF_ERROR(reconciler.Apply(map));
  inject.push_back(Ms(begin));
  SABOT_RETURN_IF_ERROR(AllInjected(reconciler, count));
  begin = loader::MonotonicNs();
  SABOT_RETURN_IF_ERROR(reconciler.Apply(MapOf(targets, 0, ++revision)));
  recover.push_back(Ms(begin));
  return absl::OkStatus();
}

double Percentile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<size_t>(share * static_cast<double>(values.size())))];
}

void Print(const char* what, const std::vector<double>& ms, double bound_ms) {
  const double p99 = Percentile(ms, 0.99);
  std::printf("%-34s median %8.2f ms  p99 %8.2f ms  bound %6.0f ms  %s\n", what, Percentile(ms, 0.5), p99,
              bound_ms, p99 <= bound_ms ? "ok" : "ABOVE THE BOUND");
}

double ResidentMb() {
  std::ifstream statm("/proc/self/statm");
  long total = 0, resident = 0;
  statm >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

absl::Status Run(const std::string& state_dir, const std::string& mechanism) {
  agent::Session::Options options = {.state_dir = state_dir, .accept_maps = false};
  options.reconciler.owner = "bench";
  options.reconciler.max_targets = options.reconciler.max_faults = kMany;
  if (!mechanism.empty()) options.reconciler.forced["network"] = mechanism;
  agent::UndoReport repaired;
  SABOT_ASSIGN_OR_RETURN(auto session,
                         agent::Session::Create(std::move(options), loader::Features::Probe(), repaired));
  std::vector<loader::Netns> targets;
  for (int i = 0; i < kMany; ++i) {
    SABOT_ASSIGN_OR_RETURN(loader::Netns netns, NamespaceWithDevice());
    targets.push_back(std::move(netns));
  }
  uint64_t revision = 0;
  std::vector<double> first, inject, recover, many, many_back;
  SABOT_RETURN_IF_ERROR(Cycle(session->reconciler(), targets, 1, revision, first, recover));
  recover.clear();
  for (int i = 0; i < kRepeats; ++i) {
    SABOT_RETURN_IF_ERROR(Cycle(session->reconciler(), targets, 1, revision, inject, recover));
  }
  for (int i = 0; i < 3; ++i) {
    SABOT_RETURN_IF_ERROR(Cycle(session->reconciler(), targets, kMany, revision, many, many_back));
  }
  std::printf("the very first fault, with loading the programs and probing the kernel: %.1f ms\n", first[0]);
  Print("inject, 1 target", inject, kOneBoundMs);
  Print("recover, 1 target", recover, kOneBoundMs);
  Print("inject, 1000 namespaces", many, kManyBoundMs);
  Print("recover, 1000 namespaces", many_back, kManyBoundMs);
  std::printf("resident afterwards: %.1f MB\n", ResidentMb());
  return absl::OkStatus();
}

}  // namespace
}  // namespace sabot

int main(int argc, char** argv) {
  const rlimit files = {65536, 65536};
  setrlimit(RLIMIT_NOFILE, &files);
  char state_dir[] = "/dev/shm/sabot-bench-XXXXXX";  // in memory, as /run is where there is an init system
  if (mkdtemp(state_dir) == nullptr) return 1;
  const absl::Status measured = sabot::Run(state_dir, argc > 1 ? argv[1] : "");
  std::filesystem::remove_all(state_dir);
  if (measured.ok()) return 0;
  std::fprintf(stderr, "inject_time: %s\n", std::string(measured.message()).c_str());
  return 1;
}
