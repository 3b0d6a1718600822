// SPDX-License-Identifier: Apache-2.0
#include "agent/network/engine.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "loader/status.h"

namespace sabot::agent {
namespace {

// Sites whose devices are listed per call: about 50 us each.
constexpr int kRefreshedAtOnce = 64;

std::string KeyOf(const ResolvedTarget& target) {
  if (target.host_network) return absl::StrCat("cgroup-", target.cgroup->id);
  return absl::StrCat("netns-", target.netns->inode());
}

}  // namespace

NetworkEngine::NetworkEngine(Options options, std::unique_ptr<loader::NetworkPrograms> programs,
                             Journal& journal, const StateDir& state_dir)
    : options_(std::move(options)),
      programs_(std::move(programs)),
      journal_(journal),
      state_dir_(state_dir),
      pools_(options_.limits, programs_->heartbeats().size()) {}

absl::StatusOr<std::unique_ptr<NetworkEngine>> NetworkEngine::Create(Options options, Journal& journal,
                                                                     const StateDir& state_dir) {
  SABOT_ASSIGN_OR_RETURN(auto programs, loader::NetworkPrograms::Create(options.limits));
  return std::unique_ptr<NetworkEngine>(
      new NetworkEngine(std::move(options), std::move(programs), journal, state_dir));
}

absl::StatusOr<std::shared_ptr<Site>> NetworkEngine::SiteOf(const ResolvedTarget& target) {
  const std::string key = KeyOf(target);
  if (auto known = sites_.find(key); known != sites_.end()) return known->second.site;
  SABOT_ASSIGN_OR_RETURN(TargetClaim claim, state_dir_.ClaimTarget(key, options_.owner));
  Site::Options options = {.netns = target.netns,
                           .cgroup = target.cgroup ? target.cgroup->path.string() : "",
                           .cgroup_only = target.host_network,
                           .tcx = options_.tcx,
                           .helper_path = options_.helper_path};
  SABOT_ASSIGN_OR_RETURN(std::shared_ptr<Site> site,
                         Site::Create(*programs_, journal_, pools_, std::move(options)));
  return sites_.emplace(key, Claimed{std::move(claim), std::move(site)}).first->second.site;
}

absl::Status NetworkEngine::Refresh() {
  absl::Status first;
  for (int i = 0; i < kRefreshedAtOnce && i < static_cast<int>(sites_.size()); ++i) {
    auto next = sites_.upper_bound(refreshed_);
    if (next == sites_.end()) next = sites_.begin();
    refreshed_ = next->first;
    if (next->second.site->empty()) continue;
    first.Update(next->second.site->Refresh());
  }
  return first;
}

void NetworkEngine::Sweep() {
  for (auto it = sites_.begin(); it != sites_.end();) {
    if (it->second.site.use_count() > 1 || !it->second.site->empty()) {
      ++it;
      continue;
    }
    auto settled = it->second.site->Settle();
    it = settled.ok() && *settled ? sites_.erase(it) : std::next(it);
  }
}

}  // namespace sabot::agent
