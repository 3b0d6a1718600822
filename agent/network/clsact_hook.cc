// SPDX-License-Identifier: Apache-2.0
//
// Bodies as direct-action filters of clsact. Several of ours, and those of others, share the qdisc: whoever
// of us is last removes it, if we made it and nobody else uses it by then.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/network/hook.h"
#include "agent/network/journalled.h"
#include "loader/netlink_filter.h"
#include "loader/netlink_qdisc.h"
#include "loader/status.h"

namespace sabot::agent {

class Clsact {
 public:
  static absl::StatusOr<std::shared_ptr<Clsact>> Ensure(HookContext& context, const std::string& fault,
                                                        const loader::Link& device);
  ~Clsact() { Remove().IgnoreError(); }  // the journal keeps what failed
  absl::Status Remove();

 private:
  Clsact(const HookContext& context, sabot::v1::QdiscDeed deed, uint64_t sequence)
      : context_(context), deed_(std::move(deed)), sequence_(sequence) {}

  const HookContext& context_;
  sabot::v1::QdiscDeed deed_;
  uint64_t sequence_;  // in the journal; 0: not made by us, or removed
};

absl::StatusOr<std::shared_ptr<Clsact>> Clsact::Ensure(HookContext& context, const std::string& fault,
                                                       const loader::Link& device) {
  std::weak_ptr<Clsact>& known = context.clsacts[device.ifindex];
  if (auto shared = known.lock()) return shared;
  const loader::QdiscAt at = {device.ifindex, loader::kClsactParent, loader::kClsactHandle};
  const sabot::v1::Deed deed = QdiscDeedOf(context, fault, device, at, "clsact");
  SABOT_ASSIGN_OR_RETURN(auto qdiscs, loader::ListQdiscs(*context.netlink, device.ifindex));
  uint64_t sequence = 0;
  const bool there = std::any_of(qdiscs.begin(), qdiscs.end(),
                                 [](const loader::Qdisc& qdisc) { return qdisc.spec.kind == "clsact"; });
  if (!there) {
    SABOT_ASSIGN_OR_RETURN(sequence, context.journal.Begin(deed));
    if (absl::Status made = loader::CreateQdisc(*context.netlink, at, loader::Clsact()); !made.ok()) {
      SABOT_RETURN_IF_ERROR(context.journal.Undone(sequence));
      return made;
    }
  }
  std::shared_ptr<Clsact> clsact(new Clsact(context, deed.qdisc(), sequence));
  known = clsact;
  return clsact;
}

absl::Status Clsact::Remove() {
  if (sequence_ == 0) return absl::OkStatus();
  SABOT_RETURN_IF_ERROR(RemoveQdiscOf(*context_.netlink, deed_));
  return context_.journal.Undone(std::exchange(sequence_, 0));
}

namespace {

// Ours run in the order of the bodies: packets that are dropped are not delayed.
constexpr uint16_t kFirstPriority = 0x5ab0;

class ClsactHook : public Hook {
 public:
  ClsactHook(const HookContext& context, std::shared_ptr<Clsact> clsact, sabot::v1::FilterDeed deed,
             uint64_t sequence)
      : context_(context), clsact_(std::move(clsact)), deed_(std::move(deed)), sequence_(sequence) {}
  ~ClsactHook() override { Remove().IgnoreError(); }

  absl::Status Remove() override {
    if (sequence_ != 0) {
      SABOT_RETURN_IF_ERROR(RemoveFilterOf(*context_.netlink, deed_));
      SABOT_RETURN_IF_ERROR(context_.journal.Undone(std::exchange(sequence_, 0)));
    }
    if (clsact_.use_count() == 1) SABOT_RETURN_IF_ERROR(clsact_->Remove());
    clsact_.reset();
    return absl::OkStatus();
  }

 private:
  const HookContext& context_;
  std::shared_ptr<Clsact> clsact_;
  sabot::v1::FilterDeed deed_;
  uint64_t sequence_;
};

}  // namespace

absl::StatusOr<HookPtr> AttachClsactHook(HookContext& context, const std::string& fault, sabot_body body,
                                         const loader::Link& device) {
  SABOT_ASSIGN_OR_RETURN(loader::UniqueFd program, context.programs.MakeEntry(body, context.lane));
  SABOT_ASSIGN_OR_RETURN(auto clsact, Clsact::Ensure(context, fault, device));
  const std::string name = loader::NetworkPrograms::EntryName(body);
  const loader::FilterAt at = {
      .ifindex = device.ifindex,
      .parent = body == SABOT_BODY_INGRESS ? loader::kClsactIngress : loader::kClsactEgress,
      .priority = static_cast<uint16_t>(kFirstPriority + body),
      .handle = 1,
  };
  const sabot::v1::Deed deed = FilterDeedOf(context, fault, device, at, name);
  SABOT_ASSIGN_OR_RETURN(const uint64_t sequence, context.journal.Begin(deed));
  absl::Status added =
      loader::AddBpfFilter(*context.netlink, at,
                           {.program_fd = program.get(), .name = name, .direct_action = true, .class_id = 0});
  if (!added.ok()) {
    SABOT_RETURN_IF_ERROR(context.journal.Undone(sequence));
    return added;
  }
  return std::make_unique<ClsactHook>(context, std::move(clsact), deed.filter(), sequence);
}

}  // namespace sabot::agent
