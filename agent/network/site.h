// SPDX-License-Identifier: Apache-2.0
//
// One target of network faults: a network namespace with its devices, or, for a target in the machine's own
// namespace, a control group alone. Holds the lane that its rules share, and the hooks that these rules need;
// hooks are made when the first rule needs them and taken off when the last one has gone.
#ifndef SABOT_AGENT_NETWORK_SITE_H_
#define SABOT_AGENT_NETWORK_SITE_H_

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/network/hook.h"
#include "agent/network/index_pool.h"
#include "agent/network/prefix_table.h"
#include "loader/netlink_link.h"
#include "loader/network_programs.h"
#include "sabot/v1/fault.pb.h"

namespace sabot::agent {

enum class NetworkRung { kTcx, kClsact, kNetem, kCgroupSkb, kEdt, kPacer };

enum class NetworkAct { kDrop, kCopy, kCorrupt, kDelay };

struct NetworkRule {
  std::string fault_id;
  NetworkAct act = NetworkAct::kDrop;
  bool egress = false;
  bool ingress = false;
  std::string device;  // empty: every device but loopback
  bool all_peers = false;
  std::vector<loader::Prefix> peers;
  double chance = 0;       // of a packet to be hit, 0 to 1
  double correlation = 0;  // of rolls, 0 to 1
  bool silent = false;     // a sender is not told of its dropped packets
  uint64_t delay_ns = 0;
  uint64_t jitter_ns = 0;
  double reorder = 0;  // chance of a packet not to be delayed, 0 to 1
  double reorder_correlation = 0;
  uint32_t reorder_gap = 1;
  sabot::v1::NetworkFault::Rate rate;  // 0 bytes a second: none
  uint64_t end_ns = UINT64_MAX;        // CLOCK_BOOTTIME
  NetworkRung rung = NetworkRung::kTcx;
  bool crowd = false;  // many rules begin at once: device hooks that the rung does not name are clsact ones
};

// What every site of an agent draws from.
struct SitePools {
  explicit SitePools(loader::NetworkPrograms::Limits limits, uint32_t heartbeats)
      : lanes("lanes", limits.lanes), rules("rules", limits.rules), heartbeats("heartbeats", heartbeats) {}
  IndexPool lanes, rules, heartbeats;
};

// Owner thread only. Programs, journal and pools outlive it.
class Site {
 public:
  struct Options {
    std::shared_ptr<const loader::Netns> netns;
    std::string cgroup;        // path; empty: none, then no rule may use kCgroupSkb
    bool cgroup_only = false;  // the namespace is the machine's own: its devices are not touched
    bool tcx = false;          // device hooks that no rung names may be tcx ones
    std::string helper_path;
  };
  static absl::StatusOr<std::unique_ptr<Site>> Create(loader::NetworkPrograms& programs, Journal& journal,
                                                      SitePools& pools, Options options);
  // Takes everything off, whatever is held.
  ~Site();

  // Puts a rule into force and returns its bit. On failure nothing is left of it. UNIMPLEMENTED when the
  // device is held by the other of tcx and clsact, which can serve this rule as well.
  absl::StatusOr<int> Add(const NetworkRule& rule);
  // The rule does nothing from here on; hooks go with Settle(). Returns what it counted until the end.
  absl::StatusOr<sabot::v1::Counters> Remove(int bit);
  // Takes off hooks that no rule needs, once they hold no packet or had the time to let all go. True when
  // none is left to wait for.
  absl::StatusOr<bool> Settle();
  // Follows the devices of the namespace as they come and go, and replaces hooks that broke.
  absl::Status Refresh();

  absl::StatusOr<sabot::v1::Counters> Observe(int bit);
  bool empty() const { return rules_.empty(); }

 private:
  enum class HookKind { kFq, kNetem, kTcx, kClsact, kPacer, kCgroup };
  struct HookKey {
    HookKind kind;
    sabot_body body;  // kTcx, kClsact, kCgroup; otherwise 0
    int ifindex;      // 0 for kCgroup
    auto operator<=>(const HookKey&) const = default;
  };
  struct RuleState {
    NetworkRule rule;
    PooledIndex index;
    uint32_t ordinal = 0;      // netem
    uint64_t seen_before = 0;  // the lane's counters when the rule began
    uint64_t dropped_before = 0;
  };

  Site(SitePools& pools, Options options, HookContext context, PooledIndex lane);

  absl::StatusOr<std::vector<loader::Link>> Devices() const;
  absl::StatusOr<std::vector<loader::Link>> DevicesOf(const NetworkRule& rule,
                                                      const std::vector<loader::Link>& all) const;
  absl::StatusOr<std::set<HookKey>> Needs(const NetworkRule& rule,
                                          const std::vector<loader::Link>& devices) const;
  absl::StatusOr<std::set<HookKey>> NeedsOfAll(const std::vector<loader::Link>& devices) const;
  absl::StatusOr<HookPtr> Make(const HookKey& key, const std::string& fault,
                               const std::vector<loader::Link>& devices);
  absl::Status Ensure(const std::set<HookKey>& keys, const std::string& fault,
                      const std::vector<loader::Link>& devices, std::vector<HookKey>& made);
  absl::Status Load();
  absl::Status SetPeers(int bit, const std::vector<loader::Prefix>& peers);
  absl::StatusOr<RuleState> NewState(const NetworkRule& rule);
  absl::Status Install(int bit, const RuleState& state, const std::vector<loader::Link>& devices);
  sabot_rule Encode(const RuleState& state, int ifindex) const;
  void SwitchOff(int bit);
  void Rollback(int bit, const std::vector<HookKey>& made);
  absl::StatusOr<uint32_t> FreeOrdinal() const;
  uint64_t Seen(const NetworkRule& rule) const;
  uint64_t DroppedByNetem(uint32_t ordinal);
  HookLoad TotalLoad() const;
  HookKind DeviceHook(const NetworkRule& rule, sabot_body body, int ifindex) const;
  sabot_lane& lane() { return context_.programs.lanes()[lane_.get()]; }

  SitePools& pools_;
  Options options_;
  HookContext context_;
  PooledIndex lane_;
  PrefixTable peers_;
  std::map<int, RuleState> rules_;
  std::map<HookKey, HookPtr> hooks_;
  std::set<uint32_t> retired_ordinals_;
  uint64_t drain_until_ns_ = 0;  // CLOCK_BOOTTIME; by then every held packet of removed rules has left
};

}  // namespace sabot::agent

#endif  // SABOT_AGENT_NETWORK_SITE_H_
