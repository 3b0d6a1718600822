// SPDX-License-Identifier: Apache-2.0
//
// Network faults: packets between a target and its peers vanish, arrive late, twice or broken, or do not pass
// at all.
//
// Targets are network namespaces; one that is the machine's own is refused unless the fault allows it, and
// then only the target's control group is touched. Rules live in BPF maps with an end and under a lease, so
// every rung stops by itself; what the kernel keeps beyond that (clsact filters, qdiscs, the pacer's helper)
// is journalled first.
//
// What if the target's devices change: they are followed. What if a qdisc of somebody else is at a device's
// root: the rungs that would have to replace it are not taken there. What if a packet is not IP: it passes.
#include "agent/faults/network.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/cgroup.h"
#include "agent/faults/fault_context.h"
#include "agent/network/hook.h"
#include "agent/network/site.h"
#include "loader/netlink_link.h"
#include "loader/status.h"

namespace sabot::agent {
namespace {

using loader::Feature;
using sabot::v1::Fault;
using sabot::v1::FIDELITY_DEGRADED;
using sabot::v1::FIDELITY_EXACT;
using sabot::v1::NetworkFault;

constexpr uint64_t kMaxLatencyNs = 3'600'000'000'000;
constexpr uint64_t kMaxRate = uint64_t{1} << 53, kMaxLimitBytes = uint64_t{1} << 34;

// --- What is asked for ---

absl::Status ValidatePrefix(const NetworkFault::Prefix& prefix, int index) {
  const size_t bytes = prefix.address().size();
  const auto where = [&](const char* what) {
    return absl::InvalidArgumentError(absl::StrCat("network.peers[", index, "]", what));
  };
  if (bytes != 4 && bytes != 16) return where(".address: must have 4 or 16 bytes");
  if (prefix.length() > bytes * 8) return where(".length: longer than the address");
  for (size_t bit = prefix.length(); bit < bytes * 8; ++bit) {
    if (prefix.address()[bit / 8] & 0x80 >> bit % 8) return where(".address: has bits behind the prefix");
  }
  return absl::OkStatus();
}

absl::Status ValidatePercent(const char* field, double percent) {
  if (percent >= 0 && percent <= 100) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("network.", field, ": must be 0 to 100, is ", percent));
}

absl::Status ValidateDelay(const NetworkFault::Delay& delay) {
  if (delay.latency_ns() < 1 || delay.latency_ns() > kMaxLatencyNs) {
    return absl::InvalidArgumentError("network.delay.latency_ns: must be 1 to 3600000000000");
  }
  if (delay.jitter_ns() > kMaxLatencyNs - delay.latency_ns()) {
    return absl::InvalidArgumentError("network.delay.jitter_ns: latency and jitter together exceed an hour");
  }
  SABOT_RETURN_IF_ERROR(ValidatePercent("delay.correlation", delay.correlation()));
  SABOT_RETURN_IF_ERROR(ValidatePercent("delay.reorder_percent", delay.reorder_percent()));
  return ValidatePercent("delay.reorder_correlation", delay.reorder_correlation());
}

absl::Status ValidateRate(const NetworkFault::Rate& rate) {
  const auto range = [](const char* field, uint64_t value, uint64_t low, uint64_t high) -> absl::Status {
    if (value >= low && value <= high) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("network.rate.", field, ": must be ", low, " to ", high, ", is ", value));
  };
  SABOT_RETURN_IF_ERROR(range("bytes_per_second", rate.bytes_per_second(), 1, kMaxRate));
  SABOT_RETURN_IF_ERROR(range("limit_bytes", rate.limit_bytes(), 1, kMaxLimitBytes));
  return range("peak_bytes_per_second", rate.peak_bytes_per_second(), 0, kMaxRate);
}

absl::Status ValidateEffect(const NetworkFault& network) {
  const bool both_ways = network.has_loss() || network.has_partition();
  if (network.effect_case() != NetworkFault::EFFECT_NOT_SET && !both_ways &&
      network.direction() != NetworkFault::EGRESS) {
    return absl::InvalidArgumentError("network.direction: this effect acts on egress packets only");
  }
  switch (network.effect_case()) {
    case NetworkFault::kLoss:
      SABOT_RETURN_IF_ERROR(ValidatePercent("loss.percent", network.loss().percent()));
      return ValidatePercent("loss.correlation", network.loss().correlation());
    case NetworkFault::kDuplicate:
      SABOT_RETURN_IF_ERROR(ValidatePercent("duplicate.percent", network.duplicate().percent()));
      return ValidatePercent("duplicate.correlation", network.duplicate().correlation());
    case NetworkFault::kCorrupt:
      SABOT_RETURN_IF_ERROR(ValidatePercent("corrupt.percent", network.corrupt().percent()));
      return ValidatePercent("corrupt.correlation", network.corrupt().correlation());
    case NetworkFault::kDelay:
      return ValidateDelay(network.delay());
    case NetworkFault::kRate:
      return ValidateRate(network.rate());
    case NetworkFault::kPartition:
      return absl::OkStatus();
    case NetworkFault::EFFECT_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("network.effect: none is set, or one that this version does not know");
}

absl::Status Validate(const Fault& fault) {
  const NetworkFault& network = fault.network();
  if (network.direction() < NetworkFault::EGRESS || network.direction() > NetworkFault::BOTH) {
    return absl::InvalidArgumentError("network.direction: must be EGRESS, INGRESS or BOTH");
  }
  if (network.device().size() > 15) return absl::InvalidArgumentError("network.device: longer than 15 bytes");
  if (network.all_peers() != network.peers().empty()) {
    return absl::InvalidArgumentError("network.peers: must be given, or all_peers be set, and not both");
  }
  for (int i = 0; i < network.peers_size(); ++i) SABOT_RETURN_IF_ERROR(ValidatePrefix(network.peers(i), i));
  return ValidateEffect(network);
}

// --- By which mechanisms ---

constexpr Feature kTcxNeeds[] = {Feature::kTc, Feature::kTcx};
constexpr Feature kClsactNeeds[] = {Feature::kTc, Feature::kClsact, Feature::kClsBpfDirectAction};
constexpr Feature kNetemNeeds[] = {Feature::kTc, Feature::kPrio, Feature::kNetem};
constexpr Feature kCgroupNeeds[] = {Feature::kTc, Feature::kCgroupV2, Feature::kCgroupSkb};
constexpr Feature kEdtNeeds[] = {Feature::kTc, Feature::kClsact, Feature::kClsBpfDirectAction, Feature::kFq};
constexpr Feature kPacerNeeds[] = {Feature::kTc, Feature::kTunVnetHdr};

constexpr std::string_view kByDescriptor = "the kernel, when the agent's descriptor closes";
constexpr std::string_view kByJournal = "the journal; passes everything at once when the agent dies";

constexpr int Id(NetworkRung rung) { return static_cast<int>(rung); }

// Making or closing a tcx link waits for a grace period of the kernel (some 15 ms) while it holds the lock of
// all network devices; a clsact filter takes a twentieth of that.
constexpr size_t kTcxCrowd = 32;

constexpr Rung kTcx = {"tcx", kTcxNeeds, FIDELITY_EXACT, kByDescriptor, "", Id(NetworkRung::kTcx), kTcxCrowd};
constexpr Rung kClsact = {"clsact", kClsactNeeds, FIDELITY_EXACT, kByJournal, "", Id(NetworkRung::kClsact)};

constexpr Rung kEdt = {
    "edt",
    kEdtNeeds,
    FIDELITY_EXACT,
    kByJournal,
    "delayed packets pass the device's other egress programs twice; replaces the default root qdisc by fq",
    Id(NetworkRung::kEdt)};
constexpr Rung kPacer = {
    "pacer",
    kPacerNeeds,
    FIDELITY_EXACT,
    "the helper process, which leaves when the agent does",
    "a user-space process holds the packets: costs up to a core under load; Ethernet devices only",
    Id(NetworkRung::kPacer)};

constexpr Rung kLossLadder[] = {
    kTcx,
    kClsact,
    {"netem", kNetemNeeds, FIDELITY_DEGRADED, kByJournal,
     "egress only; replaces the device's default root qdisc; at most 4 faults of one target",
     Id(NetworkRung::kNetem)},
    {"cgroup_skb", kCgroupNeeds, FIDELITY_DEGRADED, kByDescriptor,
     "the sender is told (EPERM), which a lossy wire does not do; for targets in the machine's own network "
     "namespace",
     Id(NetworkRung::kCgroupSkb)},
};

constexpr Rung kDelayLadder[] = {
    kEdt,
    {"netem", kNetemNeeds, FIDELITY_EXACT, kByJournal,
     "replaces the device's default root qdisc; at most 4 faults of one target", Id(NetworkRung::kNetem)},
    kPacer,
};

constexpr Rung kDuplicateLadder[] = {kTcx, kClsact};

constexpr Rung kCorruptLadder[] = {
    {"netem", kNetemNeeds, FIDELITY_EXACT, kByJournal,
     "of a packet that is still to be segmented, the first segment; replaces the device's default root "
     "qdisc; at "
     "most 4 faults of one target",
     Id(NetworkRung::kNetem)},
};

constexpr Rung kRateLadder[] = {kEdt, kPacer};

constexpr Rung kPartitionLadder[] = {
    {"cgroup_skb", kCgroupNeeds, FIDELITY_EXACT, kByDescriptor, "", Id(NetworkRung::kCgroupSkb)},
    {"tcx", kTcxNeeds, FIDELITY_DEGRADED, kByDescriptor,
     "a UDP sender is not told that its packets go nowhere", Id(NetworkRung::kTcx), kTcxCrowd},
    {"clsact", kClsactNeeds, FIDELITY_DEGRADED, kByJournal,
     "a UDP sender is not told that its packets go nowhere", Id(NetworkRung::kClsact)},
};

constexpr Effect kEffects[] = {
    {"loss", "packets vanish, each with the given chance", kLossLadder},
    {"delay", "packets arrive later, in another order where asked for", kDelayLadder},
    {"duplicate", "packets arrive twice, each with the given chance", kDuplicateLadder},
    {"corrupt", "one bit of a packet is flipped, each with the given chance", kCorruptLadder},
    {"rate", "packets pass at no more than a given rate", kRateLadder},
    {"partition", "no packet passes", kPartitionLadder},
};

const Effect& EffectOf(const Fault& fault) {
  switch (fault.network().effect_case()) {
    case NetworkFault::kLoss:
      return kEffects[0];
    case NetworkFault::kDelay:
      return kEffects[1];
    case NetworkFault::kDuplicate:
      return kEffects[2];
    case NetworkFault::kCorrupt:
      return kEffects[3];
    case NetworkFault::kRate:
      return kEffects[4];
    default:
      return kEffects[5];
  }
}

// --- On this target ---

std::optional<std::string> UnfitCgroup(const ResolvedTarget& target) {
  if (!target.cgroup) return absl::StrCat(target.description, " has no cgroup of its own that is known");
  if (target.cgroup_is_target) return std::nullopt;
  if (target.host_network) {
    auto members = MembersOf(target.cgroup->path);
    if (members.ok() && members->size() == 1) return std::nullopt;
    return absl::StrCat("cgroup ", target.cgroup->path.string(), " holds other processes than ",
                        target.description,
                        "; give the cgroup, unit or container as the target to hit all of them");
  }
  auto exclusive = ExclusiveTo(target.cgroup->path, target.netns->inode());
  if (!exclusive.ok()) return std::string(exclusive.status().message());
  if (exclusive->exclusive()) return std::nullopt;
  return absl::StrCat("cgroup ", target.cgroup->path.string(),
                      " also holds processes of other network namespaces: ", exclusive->StrangerNames());
}

// The devices that the fault means, as the site will see them.
std::optional<std::string> UnfitRoot(const Fault& fault, const ResolvedTarget& target, NetworkRung rung) {
  auto netlink = loader::Netlink::Open(*target.netns);
  if (!netlink.ok()) return std::string(netlink.status().message());
  auto devices = loader::ListLinks(*netlink);
  if (!devices.ok()) return std::string(devices.status().message());
  const std::string& named = fault.network().device();
  for (const loader::Link& device : *devices) {
    if (named.empty() ? device.kind == "loopback" || !device.up : device.name != named) continue;
    if (rung == NetworkRung::kPacer) {
      if (device.arphrd == 1 || device.kind == "loopback") continue;
      return absl::StrCat("device ", device.name, " is not an Ethernet device");
    }
    const auto free = RootIsFree(*netlink, device, rung == NetworkRung::kEdt ? "fq" : "prio");
    if (!free.ok()) return std::string(free.message());
  }
  return std::nullopt;
}

std::optional<std::string> Unfit(const Rung& rung, const Fault& fault, const ResolvedTarget& target) {
  const auto which = static_cast<NetworkRung>(rung.id);
  if (target.host_network && which != NetworkRung::kCgroupSkb) {
    return "the target lives in the machine's own network namespace, whose devices are never touched";
  }
  if (which == NetworkRung::kCgroupSkb) {
    if (!target.host_network && fault.network().has_loss()) {
      return "only for targets in the machine's own network namespace";
    }
    return UnfitCgroup(target);
  }
  if (which == NetworkRung::kNetem && fault.network().direction() != NetworkFault::EGRESS) {
    return "netem acts on egress packets only";
  }
  if (which == NetworkRung::kTcx || which == NetworkRung::kClsact) return std::nullopt;
  return UnfitRoot(fault, target, which);
}

// --- Applied ---

class NetworkInjection : public Injection {
 public:
  NetworkInjection(std::shared_ptr<Site> site, int bit) : site_(std::move(site)), bit_(bit) {}
  ~NetworkInjection() override { End().IgnoreError(); }  // the site takes everything off when it goes

  absl::StatusOr<sabot::v1::Counters> Observe() override {
    if (final_) return *final_;
    return site_->Observe(bit_);
  }

  absl::Status End() override {
    if (final_) return absl::OkStatus();
    SABOT_ASSIGN_OR_RETURN(final_, site_->Remove(bit_));
    return absl::OkStatus();
  }

  absl::StatusOr<bool> Gone() override { return site_->Settle(); }

 private:
  std::shared_ptr<Site> site_;
  int bit_;
  std::optional<sabot::v1::Counters> final_;
};

loader::Prefix PrefixOf(const NetworkFault::Prefix& peer) {
  loader::Prefix prefix;
  prefix.v6 = peer.address().size() == 16;
  std::copy(peer.address().begin(), peer.address().end(), prefix.address.begin());
  prefix.length = static_cast<uint8_t>(peer.length());
  return prefix;
}

void SetEffect(const NetworkFault& network, NetworkRule& rule) {
  const auto roll = [&](NetworkAct act, double percent, double correlation) {
    rule.act = act;
    rule.chance = percent / 100;
    rule.correlation = correlation / 100;
  };
  const auto& delay = network.delay();
  switch (network.effect_case()) {
    case NetworkFault::kLoss:
      roll(NetworkAct::kDrop, network.loss().percent(), network.loss().correlation());
      rule.silent = true;
      break;
    case NetworkFault::kDuplicate:
      return roll(NetworkAct::kCopy, network.duplicate().percent(), network.duplicate().correlation());
    case NetworkFault::kCorrupt:
      return roll(NetworkAct::kCorrupt, network.corrupt().percent(), network.corrupt().correlation());
    case NetworkFault::kDelay:
      roll(NetworkAct::kDelay, 100, delay.correlation());
      rule.delay_ns = delay.latency_ns();
      rule.jitter_ns = delay.jitter_ns();
      rule.reorder = delay.reorder_percent() / 100;
      rule.reorder_correlation = delay.reorder_correlation() / 100;
      rule.reorder_gap = std::max(1u, delay.reorder_gap());
      break;
    case NetworkFault::kRate:
      roll(NetworkAct::kDelay, 100, 0);
      rule.rate = network.rate();
      break;
    default:
      roll(NetworkAct::kDrop, 100, 0);
  }
}

NetworkRule RuleOf(const Fault& fault, NetworkRung rung, size_t at_once, uint64_t end_ns) {
  const NetworkFault& network = fault.network();
  NetworkRule rule;
  rule.fault_id = fault.id();
  rule.egress = network.direction() != NetworkFault::INGRESS;
  rule.ingress = network.direction() != NetworkFault::EGRESS;
  rule.device = network.device();
  rule.all_peers = network.all_peers();
  for (const NetworkFault::Prefix& peer : network.peers()) rule.peers.push_back(PrefixOf(peer));
  SetEffect(network, rule);
  rule.end_ns = end_ns;
  rule.rung = rung;
  rule.crowd = at_once > kTcxCrowd;
  return rule;
}

absl::StatusOr<std::unique_ptr<Injection>> Apply(FaultContext& context, const Rung& rung, const Fault& fault,
                                                 const ResolvedTarget& target, uint64_t end_ns) {
  SABOT_ASSIGN_OR_RETURN(NetworkEngine * engine, context.Network());
  SABOT_ASSIGN_OR_RETURN(auto site, engine->SiteOf(target));
  const NetworkRule rule = RuleOf(fault, static_cast<NetworkRung>(rung.id), context.at_once(), end_ns);
  SABOT_ASSIGN_OR_RETURN(const int bit, site->Add(rule));
  return std::make_unique<NetworkInjection>(std::move(site), bit);
}

}  // namespace

const FaultType kNetworkFault = {
    .family = "network",
    .kind = Fault::kNetwork,
    .effects = kEffects,
    .validate = Validate,
    .effect_of = EffectOf,
    .unfit = Unfit,
    .apply = Apply,
};

}  // namespace sabot::agent
