// SPDX-License-Identifier: Apache-2.0
#include "agent/network/site.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "loader/clock.h"
#include "loader/status.h"

namespace sabot::agent {
namespace {

// Beyond the delay itself, for what the queue adds under load.
constexpr uint64_t kDrainMarginNs = 100'000'000;
// What waits for a narrow rate can be hours of traffic: no longer than this is waited for it when the rule
// ends.
constexpr uint64_t kMaxQueueNs = 3'000'000'000;

std::vector<sabot_duty> DutiesOf(const NetworkRule& rule, bool cgroup_only) {
  switch (rule.rung) {
    case NetworkRung::kEdt:
      return {SABOT_DELAY_EDT};
    case NetworkRung::kPacer:
      return {SABOT_DELAY_PACER};
    case NetworkRung::kNetem:
      return {SABOT_CLASSIFY_NETEM};
    default:
      break;
  }
  if (rule.act == NetworkAct::kCopy) return {SABOT_COPY_EGRESS};
  std::vector<sabot_duty> duties;
  if (rule.egress && rule.rung == NetworkRung::kCgroupSkb) duties.push_back(SABOT_DROP_CGROUP_EGRESS);
  if (rule.ingress && cgroup_only) duties.push_back(SABOT_DROP_CGROUP_INGRESS);
  if (rule.egress && !cgroup_only) duties.push_back(SABOT_DROP_EGRESS);
  if (rule.ingress && !cgroup_only) duties.push_back(SABOT_DROP_INGRESS);
  return duties;
}

sabot_body BodyOf(sabot_duty duty) {
  switch (duty) {
    case SABOT_DROP_INGRESS:
      return SABOT_BODY_INGRESS;
    case SABOT_DROP_CGROUP_EGRESS:
      return SABOT_BODY_CGROUP_EGRESS;
    case SABOT_DROP_CGROUP_INGRESS:
      return SABOT_BODY_CGROUP_INGRESS;
    case SABOT_DELAY_EDT:
      return SABOT_BODY_EDT;
    case SABOT_CLASSIFY_NETEM:
      return SABOT_BODY_NETEM;
    default:
      return SABOT_BODY_EGRESS;
  }
}

uint64_t Chance(double share) { return static_cast<uint64_t>(share * 4294967296.0); }
uint32_t Correlation(double share) {
  return static_cast<uint32_t>(std::min(share * 4294967296.0, 4294967295.0));
}

// The longest that the rule holds a packet for its delay, and for its rate.
uint64_t DelayNs(const NetworkRule& rule) { return rule.delay_ns + rule.jitter_ns; }
uint64_t QueueNs(const NetworkRule& rule) {
  if (rule.rate.bytes_per_second() == 0) return 0;
  const double seconds =
      static_cast<double>(rule.rate.limit_bytes()) / static_cast<double>(rule.rate.bytes_per_second());
  return static_cast<uint64_t>(std::min(seconds, 3600.0) * 1e9);
}

// What netem itself does of a rule; what it corrupts has been rolled by the classifier.
loader::NetemOptions NetemOf(const NetworkRule& rule) {
  const auto probability = [](double share) { return loader::NetemProbability(share * 100); };
  loader::NetemOptions netem;
  netem.latency_ns = rule.delay_ns;
  netem.jitter_ns = rule.jitter_ns;
  if (rule.act == NetworkAct::kDelay) netem.latency_correlation = probability(rule.correlation);
  netem.reorder = probability(rule.reorder);
  netem.reorder_correlation = probability(rule.reorder_correlation);
  netem.gap = rule.reorder > 0 ? rule.reorder_gap : 0;
  if (rule.act == NetworkAct::kCorrupt) netem.corrupt = probability(1);
  if (rule.act == NetworkAct::kDrop) {
    netem.loss = probability(rule.chance);
    netem.loss_correlation = probability(rule.correlation);
  }
  return netem;
}

void SetBit(__u64& word, int bit, bool on) {
  const __u64 mask = __u64{1} << bit;
  loader::Store(word, on ? word | mask : word & ~mask);
}

const loader::Link* FindDevice(const std::vector<loader::Link>& devices, int ifindex) {
  for (const loader::Link& device : devices) {
    if (device.ifindex == ifindex) return &device;
  }
  return nullptr;
}

bool IsOwnTap(const loader::Link& device) { return device.kind == "tun" && device.name.starts_with("sabot"); }

}  // namespace

Site::Site(SitePools& pools, Options options, HookContext context, PooledIndex lane)
    : pools_(pools), options_(std::move(options)), context_(std::move(context)), lane_(std::move(lane)) {}

absl::StatusOr<std::unique_ptr<Site>> Site::Create(loader::NetworkPrograms& programs, Journal& journal,
                                                   SitePools& pools, Options options) {
  SABOT_ASSIGN_OR_RETURN(PooledIndex lane, pools.lanes.Take());
  std::shared_ptr<loader::Netlink> netlink;
  if (!options.cgroup_only) {
    SABOT_ASSIGN_OR_RETURN(loader::Netlink opened, loader::Netlink::Open(*options.netns));
    netlink = std::make_shared<loader::Netlink>(std::move(opened));
  }
  HookContext context = {.programs = programs,
                         .journal = journal,
                         .netns = options.netns,
                         .netlink = std::move(netlink),
                         .lane = lane.get(),
                         .heartbeats = pools.heartbeats,
                         .helper_path = options.helper_path};
  programs.lanes()[lane.get()] = {};
  programs.lanes()[lane.get()].cgroup_only = options.cgroup_only;
  return std::unique_ptr<Site>(new Site(pools, std::move(options), std::move(context), std::move(lane)));
}

Site::~Site() {
  for (const auto& [bit, state] : rules_) {
    SwitchOff(bit);
    SetPeers(bit, {}).IgnoreError();  // the map goes with the agent
  }
}

absl::StatusOr<std::vector<loader::Link>> Site::Devices() const {
  if (options_.cgroup_only) return std::vector<loader::Link>();
  return loader::ListLinks(*context_.netlink);
}

absl::StatusOr<std::vector<loader::Link>> Site::DevicesOf(const NetworkRule& rule,
                                                          const std::vector<loader::Link>& all) const {
  std::vector<loader::Link> chosen;
  for (const loader::Link& device : all) {
    const bool any = rule.device.empty() && device.kind != "loopback" && device.up && !IsOwnTap(device);
    if (any || device.name == rule.device) chosen.push_back(device);
  }
  if (chosen.empty() && !options_.cgroup_only) {
    const std::string what =
        rule.device.empty() ? "device other than loopback that is up" : absl::StrCat("device ", rule.device);
    return absl::NotFoundError(absl::StrCat("there is no ", what, " in ", options_.netns->Describe()));
  }
  return chosen;
}

Site::HookKind Site::DeviceHook(const NetworkRule& rule, sabot_body body, int ifindex) const {
  if (rule.rung == NetworkRung::kTcx) return HookKind::kTcx;
  if (rule.rung == NetworkRung::kClsact || rule.rung == NetworkRung::kEdt) return HookKind::kClsact;
  for (HookKind there : {HookKind::kTcx, HookKind::kClsact}) {
    if (hooks_.contains({there, body, ifindex})) return there;
  }
  return options_.tcx && !rule.crowd ? HookKind::kTcx : HookKind::kClsact;
}

absl::StatusOr<std::set<Site::HookKey>> Site::Needs(const NetworkRule& rule,
                                                    const std::vector<loader::Link>& devices) const {
  SABOT_ASSIGN_OR_RETURN(const auto chosen, DevicesOf(rule, devices));
  constexpr sabot_body kNone = SABOT_BODY_EGRESS;
  std::set<HookKey> keys;
  for (sabot_duty duty : DutiesOf(rule, options_.cgroup_only)) {
    const sabot_body body = BodyOf(duty);
    if (body == SABOT_BODY_CGROUP_EGRESS || body == SABOT_BODY_CGROUP_INGRESS) {
      keys.insert({HookKind::kCgroup, body, 0});
      continue;
    }
    for (const loader::Link& device : chosen) {
      if (duty == SABOT_DELAY_EDT) keys.insert({HookKind::kFq, kNone, device.ifindex});
      if (duty == SABOT_DELAY_PACER) keys.insert({HookKind::kPacer, kNone, device.ifindex});
      if (duty == SABOT_CLASSIFY_NETEM) {
        keys.insert({HookKind::kNetem, kNone, device.ifindex});
      } else {
        keys.insert({DeviceHook(rule, body, device.ifindex), body, device.ifindex});
      }
    }
  }
  return keys;
}

absl::StatusOr<std::set<Site::HookKey>> Site::NeedsOfAll(const std::vector<loader::Link>& devices) const {
  std::set<HookKey> all;
  for (const auto& [bit, state] : rules_) {
    auto keys = Needs(state.rule, devices);
    if (keys.status().code() == absl::StatusCode::kNotFound) continue;  // its device is away for now
    if (!keys.ok()) return keys.status();
    all.merge(*keys);
  }
  return all;
}

absl::StatusOr<HookPtr> Site::Make(const HookKey& key, const std::string& fault,
                                   const std::vector<loader::Link>& devices) {
  if (key.kind == HookKind::kCgroup) return AttachCgroupHook(context_, fault, key.body, options_.cgroup);
  const loader::Link& device = *FindDevice(devices, key.ifindex);
  switch (key.kind) {
    case HookKind::kTcx:
      return AttachTcxHook(context_, fault, key.body, device);
    case HookKind::kClsact:
      return AttachClsactHook(context_, fault, key.body, device);
    case HookKind::kFq:
      return AttachFqHook(context_, fault, device);
    case HookKind::kNetem:
      return AttachNetemHook(context_, fault, device);
    default:
      return AttachPacerHook(context_, fault, device, options_.tcx);
  }
}

absl::Status Site::Ensure(const std::set<HookKey>& keys, const std::string& fault,
                          const std::vector<loader::Link>& devices, std::vector<HookKey>& made) {
  for (const HookKey& key : keys) {
    if (hooks_.contains(key)) continue;
    // The same body twice on one device would roll every die twice.
    for (HookKind other : {HookKind::kTcx, HookKind::kClsact}) {
      const bool rival = key.kind != other && (key.kind == HookKind::kTcx || key.kind == HookKind::kClsact);
      if (rival && hooks_.contains({other, key.body, key.ifindex})) {
        return absl::UnimplementedError(absl::StrCat(
            "device ", FindDevice(devices, key.ifindex)->name, " in ", options_.netns->Describe(),
            " is held by another fault by ", other == HookKind::kTcx ? "tcx" : "clsact",
            "; one device takes one of tcx and clsact at a time"));
      }
    }
    SABOT_ASSIGN_OR_RETURN(hooks_[key], Make(key, fault, devices));
    made.push_back(key);
  }
  return absl::OkStatus();
}

HookLoad Site::TotalLoad() const {
  HookLoad load;
  for (const auto& [bit, state] : rules_) {
    load.delay_ns += DelayNs(state.rule) + QueueNs(state.rule);
    if (state.rule.rung == NetworkRung::kNetem) load.netem[state.ordinal] = NetemOf(state.rule);
  }
  return load;
}

absl::Status Site::Load() {
  const HookLoad load = TotalLoad();
  for (auto& [key, hook] : hooks_) SABOT_RETURN_IF_ERROR(hook->Update(load));
  return absl::OkStatus();
}

absl::Status Site::SetPeers(int bit, const std::vector<loader::Prefix>& peers) {
  loader::NetworkPrograms& programs = context_.programs;
  const PrefixTable::Changes changes = peers_.Set(bit, peers);
  for (const auto& [host, rules] : changes.hosts) {
    SABOT_RETURN_IF_ERROR(rules != 0 ? programs.SetHost(lane_.get(), host, rules)
                                     : programs.EraseHost(lane_.get(), host));
  }
  if (changes.nets4) SABOT_RETURN_IF_ERROR(programs.SetNets(lane_.get(), false, *changes.nets4));
  if (changes.nets6) SABOT_RETURN_IF_ERROR(programs.SetNets(lane_.get(), true, *changes.nets6));
  return absl::OkStatus();
}

absl::StatusOr<uint32_t> Site::FreeOrdinal() const {
  for (uint32_t ordinal = 0; ordinal < SABOT_NETEM_RULES; ++ordinal) {
    const bool used = std::any_of(rules_.begin(), rules_.end(), [&](const auto& entry) {
      return entry.second.rule.rung == NetworkRung::kNetem && entry.second.ordinal == ordinal;
    });
    if (!used && !retired_ordinals_.contains(ordinal)) return ordinal;
  }
  return absl::ResourceExhaustedError(
      absl::StrCat("netem holds at most ", SABOT_NETEM_RULES, " faults of one target at a time"));
}

absl::StatusOr<Site::RuleState> Site::NewState(const NetworkRule& rule) {
  SABOT_ASSIGN_OR_RETURN(PooledIndex index, pools_.rules.Take());
  RuleState state = {.rule = rule, .index = std::move(index)};
  if (rule.rung == NetworkRung::kNetem) {
    SABOT_ASSIGN_OR_RETURN(state.ordinal, FreeOrdinal());
  }
  SABOT_RETURN_IF_ERROR(context_.programs.ClearCounts(state.index.get()));
  SABOT_RETURN_IF_ERROR(context_.programs.ShakeDice(state.index.get()));
  if (rule.act == NetworkAct::kCopy) SABOT_RETURN_IF_ERROR(context_.programs.Load(SABOT_BODY_COPY));
  state.seen_before = Seen(rule);
  state.dropped_before = DroppedByNetem(state.ordinal);
  return state;
}

sabot_rule Site::Encode(const RuleState& state, int ifindex) const {
  const NetworkRule& rule = state.rule;
  // netem's classifier sends it all that netem rolls for by itself.
  const bool rolled = rule.rung != NetworkRung::kNetem || rule.act == NetworkAct::kCorrupt;
  return {
      .end_ns = rule.end_ns,
      .delay_ns = rule.delay_ns,
      .jitter_ns = rule.jitter_ns,
      .chance = Chance(rolled ? rule.chance : 1),
      .reorder = Chance(rule.reorder),
      .rate = rule.rate.bytes_per_second(),
      .peak_rate = rule.rate.peak_bytes_per_second(),
      // A packet never waits for more than an hour.
      .limit_bytes = std::min<uint64_t>(rule.rate.limit_bytes(), rule.rate.bytes_per_second() * 3600),
      .burst_bytes = rule.rate.burst_bytes(),
      .peak_burst_bytes = rule.rate.peak_burst_bytes(),
      .correlation = rolled ? Correlation(rule.correlation) : 0,
      .reorder_correlation = Correlation(rule.reorder_correlation),
      .reorder_gap = rule.reorder_gap,
      .ifindex = static_cast<uint32_t>(ifindex),
      .ordinal = static_cast<uint16_t>(state.ordinal),
      .silent = rule.silent,
      .unused = 0,
  };
}

// Bits of duties are set last: a program that reads the lane meanwhile sees a rule only when it is whole.
absl::Status Site::Install(int bit, const RuleState& state, const std::vector<loader::Link>& devices) {
  const NetworkRule& rule = state.rule;
  int ifindex = 0;
  if (!rule.device.empty() && !options_.cgroup_only) {
    SABOT_ASSIGN_OR_RETURN(const auto chosen, DevicesOf(rule, devices));
    ifindex = chosen.front().ifindex;
  }
  context_.programs.rules()[state.index.get()] = Encode(state, ifindex);
  loader::Store(lane().rule[bit], state.index.get());
  const auto has = [&](bool v6, bool host) {
    return std::any_of(rule.peers.begin(), rule.peers.end(),
                       [&](const auto& peer) { return peer.v6 == v6 && peer.host() == host; });
  };
  SetBit(lane().all_peers, bit, rule.all_peers);
  SetBit(lane().hosts4, bit, has(false, true));
  SetBit(lane().hosts6, bit, has(true, true));
  SetBit(lane().nets4, bit, has(false, false));
  SetBit(lane().nets6, bit, has(true, false));
  for (sabot_duty duty : DutiesOf(rule, options_.cgroup_only)) SetBit(lane().duty[duty], bit, true);
  return absl::OkStatus();
}

void Site::SwitchOff(int bit) {
  for (__u64& duty : lane().duty) SetBit(duty, bit, false);
  for (__u64* which : {&lane().all_peers, &lane().hosts4, &lane().hosts6, &lane().nets4, &lane().nets6}) {
    SetBit(*which, bit, false);
  }
}

absl::StatusOr<int> Site::Add(const NetworkRule& rule) {
  int bit = 0;
  while (bit < SABOT_LANE_RULES && rules_.contains(bit)) ++bit;
  if (bit == SABOT_LANE_RULES) {
    return absl::ResourceExhaustedError(absl::StrCat("a target holds at most ", SABOT_LANE_RULES, " faults"));
  }
  SABOT_ASSIGN_OR_RETURN(const auto devices, Devices());
  SABOT_ASSIGN_OR_RETURN(const auto keys, Needs(rule, devices));
  SABOT_ASSIGN_OR_RETURN(RuleState state, NewState(rule));
  std::vector<HookKey> made;
  absl::Status status = Ensure(keys, rule.fault_id, devices, made);
  const auto added = rules_.emplace(bit, std::move(state)).first;
  if (status.ok()) status = SetPeers(bit, rule.peers);
  if (status.ok()) status = Load();
  if (status.ok()) status = Install(bit, added->second, devices);
  if (status.ok()) return bit;
  Rollback(bit, made);
  return status;
}

void Site::Rollback(int bit, const std::vector<HookKey>& made) {
  SwitchOff(bit);
  SetPeers(bit, {}).IgnoreError();  // the error to tell is the one that led here
  rules_.erase(bit);
  for (auto key = made.rbegin(); key != made.rend(); ++key) hooks_.erase(*key);
  Load().IgnoreError();
}

absl::StatusOr<sabot::v1::Counters> Site::Remove(int bit) {
  uint64_t held_ns = 0;
  for (const auto& [other, state] : rules_) {
    held_ns += DelayNs(state.rule) + std::min(QueueNs(state.rule), kMaxQueueNs);
  }
  SwitchOff(bit);
  SABOT_ASSIGN_OR_RETURN(sabot::v1::Counters counters, Observe(bit));
  SABOT_RETURN_IF_ERROR(SetPeers(bit, {}));
  if (held_ns != 0) {
    drain_until_ns_ = std::max(drain_until_ns_, loader::BootTimeNs() + held_ns + kDrainMarginNs);
  }
  const auto state = rules_.find(bit);
  if (state->second.rule.rung == NetworkRung::kNetem) retired_ordinals_.insert(state->second.ordinal);
  rules_.erase(state);
  return counters;
}

absl::StatusOr<bool> Site::Settle() {
  const bool patience_over = loader::BootTimeNs() >= drain_until_ns_;
  std::set<HookKey> needed;
  if (!rules_.empty()) {
    SABOT_ASSIGN_OR_RETURN(const auto devices, Devices());
    SABOT_ASSIGN_OR_RETURN(needed, NeedsOfAll(devices));
  }
  bool settled = true;
  // Backwards: filters go before the qdiscs that they serve.
  for (auto it = hooks_.end(); it != hooks_.begin();) {
    --it;
    if (needed.contains(it->first)) continue;
    if (!patience_over && !it->second->Drained()) {
      settled = false;
      continue;
    }
    SABOT_RETURN_IF_ERROR(it->second->Remove());
    it = hooks_.erase(it);
  }
  if (settled && (patience_over || rules_.empty()) && !retired_ordinals_.empty()) {
    SABOT_RETURN_IF_ERROR(Load());
    retired_ordinals_.clear();
  }
  return settled && retired_ordinals_.empty();
}

absl::Status Site::Refresh() {
  SABOT_ASSIGN_OR_RETURN(const auto devices, Devices());
  for (auto it = hooks_.begin(); it != hooks_.end();) {
    const bool gone = it->first.ifindex != 0 && FindDevice(devices, it->first.ifindex) == nullptr;
    if (gone || !it->second->Healthy()) {
      SABOT_RETURN_IF_ERROR(it->second->Remove());
      it = hooks_.erase(it);
    } else {
      ++it;
    }
  }
  SABOT_ASSIGN_OR_RETURN(const auto needed, NeedsOfAll(devices));
  std::vector<HookKey> made;
  const std::string& fault = rules_.empty() ? std::string() : rules_.begin()->second.rule.fault_id;
  SABOT_RETURN_IF_ERROR(Ensure(needed, fault, devices, made));
  if (made.empty()) return absl::OkStatus();
  SABOT_RETURN_IF_ERROR(Load());
  for (const auto& [bit, state] : rules_) SABOT_RETURN_IF_ERROR(Install(bit, state, devices));
  return absl::OkStatus();
}

uint64_t Site::Seen(const NetworkRule& rule) const {
  auto seen = context_.programs.Seen(lane_.get());
  if (!seen.ok()) return 0;
  std::set<sabot_body> bodies;
  for (sabot_duty duty : DutiesOf(rule, options_.cgroup_only)) bodies.insert(BodyOf(duty));
  uint64_t sum = 0;
  for (sabot_body body : bodies) sum += seen->packets[body];
  return sum;
}

uint64_t Site::DroppedByNetem(uint32_t ordinal) {
  uint64_t dropped = 0;
  for (const auto& [key, hook] : hooks_) dropped += hook->Dropped(ordinal);
  return dropped;
}

absl::StatusOr<sabot::v1::Counters> Site::Observe(int bit) {
  const auto state = rules_.find(bit);
  if (state == rules_.end()) return absl::NotFoundError(absl::StrCat("no rule ", bit));
  const NetworkRule& rule = state->second.rule;
  SABOT_ASSIGN_OR_RETURN(const sabot_counters counts, context_.programs.Counts(state->second.index.get()));
  sabot::v1::Counters counters;
  counters.set_matched(counts.matched);
  counters.set_affected(counts.affected);
  if (rule.rung == NetworkRung::kNetem && rule.act == NetworkAct::kDrop) {
    counters.set_affected(DroppedByNetem(state->second.ordinal) - state->second.dropped_before);
  }
  counters.set_seen(Seen(rule) - state->second.seen_before);
  return counters;
}

}  // namespace sabot::agent
