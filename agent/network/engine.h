// SPDX-License-Identifier: Apache-2.0
//
// All network faults of an agent: the loaded programs and the sites that they act on.
#ifndef SABOT_AGENT_NETWORK_ENGINE_H_
#define SABOT_AGENT_NETWORK_ENGINE_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/journal.h"
#include "agent/network/site.h"
#include "agent/state_dir.h"
#include "agent/target.h"
#include "loader/network_programs.h"

namespace sabot::agent {

// Owner thread only. Journal and state directory outlive it.
class NetworkEngine {
 public:
  struct Options {
    loader::NetworkPrograms::Limits limits;
    bool tcx = false;   // the kernel has it
    std::string owner;  // what a second run on the same target is told
    std::string helper_path;
  };
  static absl::StatusOr<std::unique_ptr<NetworkEngine>> Create(Options options, Journal& journal,
                                                               const StateDir& state_dir);

  // Rules act until this CLOCK_BOOTTIME.
  void SetLease(uint64_t boottime_ns) { programs_->SetLease(boottime_ns); }

  // The site of a target, made and claimed if it is new. ALREADY_EXISTS, with the owner's name, if another
  // process holds the target. To be let go of before the engine is.
  absl::StatusOr<std::shared_ptr<Site>> SiteOf(const ResolvedTarget& target);

  // Lets devices of a bounded number of sites be followed, in turn.
  absl::Status Refresh();

  // Gives up sites that nobody holds, that have no rules and nothing left to wait for.
  void Sweep();

 private:
  struct Claimed {
    TargetClaim claim;
    std::shared_ptr<Site> site;
  };

  NetworkEngine(Options options, std::unique_ptr<loader::NetworkPrograms> programs, Journal& journal,
                const StateDir& state_dir);

  Options options_;
  std::unique_ptr<loader::NetworkPrograms> programs_;
  Journal& journal_;
  const StateDir& state_dir_;
  SitePools pools_;
  std::map<std::string, Claimed> sites_;
  std::string refreshed_;  // key of the site that was followed last
};

}  // namespace sabot::agent

#endif  // SABOT_AGENT_NETWORK_ENGINE_H_
