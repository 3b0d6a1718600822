// SPDX-License-Identifier: Apache-2.0
//
// Owner of bpf/network.bpf.c: loads its maps once and each body when it is first needed (which takes the
// kernel some 5 ms), and gives out entry programs and access to the maps. Knows lanes, rules and peers as
// bpf/abi/network.h defines them, and not what they are for. Thread-compatible.
#ifndef SABOT_LOADER_NETWORK_PROGRAMS_H_
#define SABOT_LOADER_NETWORK_PROGRAMS_H_

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bpf/abi/network.h"
#include "loader/fd.h"
#include "loader/map.h"
#include "loader/prefix.h"
#include "loader/prefix_tree.h"

struct network_bpf;

namespace sabot::loader {

class NetworkPrograms {
 public:
  // Sizes of the maps; all at least 1. Lanes and rules cost 376 and 128 bytes of kernel memory each, and 64
  // and 16 per CPU; `hosts`, the whole addresses of each family in all peer lists, 16 bytes, and about 80
  // when in use.
  struct Limits {
    uint32_t lanes;
    uint32_t rules;
    uint32_t hosts;
  };
  static absl::StatusOr<std::unique_ptr<NetworkPrograms>> Create(Limits limits);
  ~NetworkPrograms();

  // Rules act until this CLOCK_BOOTTIME. A plain store: costs nothing and cannot fail.
  void SetLease(uint64_t boottime_ns);

  // Makes sure that other bodies can go on to this one.
  absl::Status Load(sabot_body body);
  // A new program that runs `body` for `lane`; it must be attached where that body's section says. Not bound
  // to the lifetime of this object: when that ends, the entry passes everything.
  absl::StatusOr<UniqueFd> MakeEntry(sabot_body body, uint32_t lane);

  // The name that entries to `body` have in the kernel, at most 15 bytes.
  static const char* EntryName(sabot_body body);

  MappedArray<sabot_lane>& lanes() { return lanes_; }
  MappedArray<sabot_rule>& rules() { return rules_; }

  // The rules of a peer that is a whole address. RESOURCE_EXHAUSTED beyond Limits::hosts.
  absl::Status SetHost(uint32_t lane, const Prefix& host, uint64_t rules);
  absl::Status EraseHost(uint32_t lane, const Prefix& host);
  // All peers of one family that are shorter prefixes: sorted, none twice. Programs see the old ones or the
  // new ones. RESOURCE_EXHAUSTED beyond some two million in all lanes.
  absl::Status SetNets(uint32_t lane, bool v6, std::span<const PrefixRules> nets);

  absl::Status SetPacer(uint32_t lane, uint32_t ifindex, sabot_pacer pacer);
  absl::Status ErasePacer(uint32_t lane, uint32_t ifindex);
  // Map of u64 for heartbeats (CLOCK_BOOTTIME, ns), to be handed to helpers. Borrowed.
  int heartbeats_fd() const;
  MappedArray<uint64_t>& heartbeats() { return heartbeats_; }

  absl::StatusOr<sabot_counters> Counts(uint32_t rule) const { return counts_.Sum(rule); }
  absl::Status ClearCounts(uint32_t rule) { return counts_.Clear(rule); }
  // The rule has rolled no dice yet, and nothing waits for its rate.
  absl::Status ShakeDice(uint32_t rule);
  absl::StatusOr<sabot_seen> Seen(uint32_t lane) const { return seens_.Sum(lane); }

 private:
  struct Close {
    void operator()(network_bpf* skeleton) const;
  };
  using Skeleton = std::unique_ptr<network_bpf, Close>;

  NetworkPrograms(Skeleton skeleton, MappedArray<sabot_lane> lanes, MappedArray<sabot_rule> rules,
                  MappedArray<uint64_t> heartbeats);
  static absl::StatusOr<Skeleton> LoadMaps(Limits limits);

  Skeleton skeleton_;
  std::array<bool, SABOT_BODIES> loaded_ = {};
  MappedArray<sabot_lane> lanes_;
  MappedArray<sabot_rule> rules_;
  MappedArray<uint64_t> heartbeats_;
  PerCpuArrayRef<sabot_counters> counts_;
  PerCpuArrayRef<sabot_seen> seens_;
  MapRef<uint32_t, sabot_dice> dices_;
  MapRef<sabot_host4, uint64_t> hosts4_;
  MapRef<sabot_host6, uint64_t> hosts6_;
  PrefixCells cells_;
  std::map<std::pair<uint32_t, bool>, std::vector<uint32_t>> trees_;  // lane and family → cells
  MapRef<sabot_device, sabot_pacer> pacers_;
};

}  // namespace sabot::loader

#endif  // SABOT_LOADER_NETWORK_PROGRAMS_H_
