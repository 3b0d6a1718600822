// SPDX-License-Identifier: Apache-2.0
//
// netem, classified by our program: a prio qdisc at the root whose band 0 passes and whose band N holds
// packets that the subset N of the (at most four) rules fits. A band is a chain of netems, one per rule, so
// that delays add up, losses are rolled one after the other, and each rule's drops can be counted.
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/network/hook.h"
#include "agent/network/journalled.h"
#include "agent/network/queue_limit.h"
#include "loader/netlink_filter.h"
#include "loader/netlink_qdisc.h"
#include "loader/status.h"

namespace sabot::agent {
namespace {

constexpr uint32_t kSubsets = 1u << SABOT_NETEM_RULES;

// Handle of the netem for one rule in one band.
uint32_t NetemHandle(uint32_t subset, uint32_t ordinal) {
  return loader::TcHandle(0x5b00 | subset << 4 | ordinal, 0);
}

loader::QdiscSpec Spec(loader::NetemOptions rule, uint64_t queued_ns) {
  rule.limit_packets = QueueLimit(queued_ns);
  return loader::Netem(rule);
}

class NetemHook : public Hook {
 public:
  NetemHook(const HookContext& context, int ifindex, sabot::v1::QdiscDeed deed, uint64_t sequence)
      : context_(context), ifindex_(ifindex), deed_(std::move(deed)), sequence_(sequence) {}
  ~NetemHook() override { Remove().IgnoreError(); }

  absl::Status Update(const HookLoad& load) override {
    for (uint32_t subset = 1; subset < kSubsets; ++subset) {
      if (absl::Status status = UpdateBand(subset, load); !status.ok()) {
        return status;
      }
    }
    return absl::OkStatus();
  }

  bool Drained() override {
    auto root = loader::RootQdisc(*context_.netlink, ifindex_);
    return !root.ok() || root->stats.backlog_packets == 0;
  }

  absl::Status Remove() override {
    if (sequence_ == 0) return absl::OkStatus();
    SABOT_RETURN_IF_ERROR(RemoveQdiscOf(*context_.netlink, deed_));
    return context_.journal.Undone(std::exchange(sequence_, 0));
  }

  uint64_t Dropped(uint32_t ordinal) override {
    uint64_t drops = dropped_before_[ordinal];
    auto qdiscs = loader::ListQdiscs(*context_.netlink, ifindex_);
    if (!qdiscs.ok()) return drops;
    for (const loader::Qdisc& qdisc : *qdiscs) {
      if (qdisc.spec.kind == "netem" && OrdinalOf(qdisc.at.handle) == ordinal)
        drops += OwnDrops(*qdiscs, qdisc);
    }
    return drops;
  }

 private:
  static uint32_t OrdinalOf(uint32_t handle) { return handle >> 16 & 0xf; }

  // A netem counts what its child drops as its own, too.
  static uint64_t OwnDrops(const std::vector<loader::Qdisc>& all, const loader::Qdisc& netem) {
    uint64_t below = 0;
    for (const loader::Qdisc& child : all) {
      if (child.at.parent >> 16 == netem.at.handle >> 16) below += child.stats.drops;
    }
    return netem.stats.drops - std::min<uint64_t>(below, netem.stats.drops);
  }

  // A band is built whole when all rules of its subset are there, and taken away when one is not.
  absl::Status UpdateBand(uint32_t subset, const HookLoad& load) {
    bool wanted = true;
    for (uint32_t ordinal = 0; ordinal < SABOT_NETEM_RULES; ++ordinal) {
      if (subset & 1u << ordinal) wanted &= load.netem.contains(ordinal);
    }
    if (wanted == bands_.contains(subset)) return absl::OkStatus();
    if (!wanted) return RemoveBand(subset);
    if (absl::Status made = MakeBand(subset, load); !made.ok()) {
      RemoveBand(subset).IgnoreError();  // the first error is the one to tell
      return made;
    }
    bands_.insert(subset);
    return absl::OkStatus();
  }

  absl::Status MakeBand(uint32_t subset, const HookLoad& load) {
    uint32_t parent = SABOT_PRIO_HANDLE | (subset + 1);
    for (const auto& [ordinal, rule] : load.netem) {
      if (!(subset & 1u << ordinal)) continue;
      const uint32_t handle = NetemHandle(subset, ordinal);
      SABOT_RETURN_IF_ERROR(
          loader::CreateQdisc(*context_.netlink, {ifindex_, parent, handle}, Spec(rule, load.delay_ns)));
      parent = handle | 1;
    }
    return absl::OkStatus();
  }

  absl::Status RemoveBand(uint32_t subset) {
    bands_.erase(subset);
    auto qdiscs = loader::ListQdiscs(*context_.netlink, ifindex_);
    SABOT_RETURN_IF_ERROR(qdiscs.status());
    for (const loader::Qdisc& qdisc : *qdiscs) {
      if (qdisc.spec.kind != "netem" || (qdisc.at.handle >> 20 & 0xf) != subset) continue;
      dropped_before_[OrdinalOf(qdisc.at.handle)] += OwnDrops(*qdiscs, qdisc);
    }
    for (const loader::Qdisc& qdisc : *qdiscs) {
      if (qdisc.at.parent != (SABOT_PRIO_HANDLE | (subset + 1)) || qdisc.spec.kind != "netem") continue;
      SABOT_RETURN_IF_ERROR(loader::RemoveQdisc(*context_.netlink, qdisc.at, "netem").status());
    }
    return absl::OkStatus();
  }

  const HookContext& context_;
  int ifindex_;
  sabot::v1::QdiscDeed deed_;
  uint64_t sequence_;  // in the journal; 0: removed
  std::set<uint32_t> bands_;
  std::map<uint32_t, uint64_t> dropped_before_;  // by ordinal, in bands that are gone
};

absl::Status Build(const HookContext& context, const loader::QdiscAt& at) {
  SABOT_ASSIGN_OR_RETURN(loader::UniqueFd program,
                         context.programs.MakeEntry(SABOT_BODY_NETEM, context.lane));
  SABOT_RETURN_IF_ERROR(loader::CreateQdisc(*context.netlink, at, loader::Prio({.bands = kSubsets})));
  return loader::AddBpfFilter(*context.netlink,
                              {.ifindex = at.ifindex, .parent = at.handle, .priority = 1, .handle = 1},
                              {.program_fd = program.get(),
                               .name = loader::NetworkPrograms::EntryName(SABOT_BODY_NETEM),
                               .direct_action = false,
                               .class_id = at.handle | 1});
}

}  // namespace

absl::StatusOr<HookPtr> AttachNetemHook(const HookContext& context, const std::string& fault,
                                        const loader::Link& device) {
  SABOT_RETURN_IF_ERROR(RootIsFree(*context.netlink, device, "prio"));
  const loader::QdiscAt at = {device.ifindex, loader::kRootParent, SABOT_PRIO_HANDLE};
  const sabot::v1::Deed deed = QdiscDeedOf(context, fault, device, at, "prio");
  SABOT_ASSIGN_OR_RETURN(const uint64_t sequence, context.journal.Begin(deed));
  auto hook = std::make_unique<NetemHook>(context, device.ifindex, deed.qdisc(), sequence);
  SABOT_RETURN_IF_ERROR(Build(context, at));
  return hook;
}

}  // namespace sabot::agent
