// SPDX-License-Identifier: Apache-2.0
//
// fq at the root of a device: it sends each packet at the time that the edt body stamped on it.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/network/hook.h"
#include "agent/network/journalled.h"
#include "agent/network/queue_limit.h"
#include "loader/netlink_qdisc.h"
#include "loader/status.h"

namespace sabot::agent {
namespace {

constexpr uint32_t kHandle = 0x5ab10000;

loader::QdiscSpec Spec(uint64_t delay_ns) {
  const uint32_t limit = QueueLimit(delay_ns);
  const uint64_t horizon_us = std::min<uint64_t>(UINT32_MAX, 10'000'000 + delay_ns / 1000);
  return loader::Fq({.limit_packets = limit,
                     .flow_limit_packets = limit,
                     .horizon_us = static_cast<uint32_t>(horizon_us),
                     .horizon_drop = {}});
}

class FqHook : public Hook {
 public:
  FqHook(const HookContext& context, loader::QdiscAt at, sabot::v1::QdiscDeed deed, uint64_t sequence)
      : context_(context), at_(at), deed_(std::move(deed)), sequence_(sequence) {}
  ~FqHook() override { Remove().IgnoreError(); }

  absl::Status Update(const HookLoad& load) override {
    if (sequence_ == 0 || load.delay_ns <= delay_ns_) return absl::OkStatus();
    SABOT_RETURN_IF_ERROR(loader::ChangeQdisc(*context_.netlink, at_, Spec(load.delay_ns)));
    delay_ns_ = load.delay_ns;
    return absl::OkStatus();
  }

  bool Drained() override {
    auto root = loader::RootQdisc(*context_.netlink, at_.ifindex);
    return sequence_ == 0 || !root.ok() || root->stats.backlog_packets == 0;
  }

  absl::Status Remove() override {
    if (sequence_ == 0) return absl::OkStatus();
    SABOT_RETURN_IF_ERROR(RemoveQdiscOf(*context_.netlink, deed_));
    return context_.journal.Undone(std::exchange(sequence_, 0));
  }

 private:
  const HookContext& context_;
  loader::QdiscAt at_;
  sabot::v1::QdiscDeed deed_;
  uint64_t sequence_;  // in the journal; 0: somebody else's fq, or removed
  uint64_t delay_ns_ = 0;
};

}  // namespace

absl::Status RootIsFree(loader::Netlink& netlink, const loader::Link& device, const std::string& kind) {
  auto root = loader::RootQdisc(netlink, device.ifindex);
  if (root.status().code() == absl::StatusCode::kNotFound) return absl::OkStatus();
  if (!root.ok()) return root.status();
  const bool ours = root->spec.kind == "prio" && root->at.handle == SABOT_PRIO_HANDLE && kind == "prio";
  if (root->at.handle == 0 || ours || (kind == "fq" && root->spec.kind == kind)) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "device ", device.name, " in ", netlink.Describe(), " has the root qdisc ", root->spec.kind, " ",
      loader::TcHandleName(root->at.handle), ", which ", kind, " would have to replace"));
}

absl::StatusOr<HookPtr> AttachFqHook(const HookContext& context, const std::string& fault,
                                     const loader::Link& device) {
  SABOT_RETURN_IF_ERROR(RootIsFree(*context.netlink, device, "fq"));
  const loader::QdiscAt at = {device.ifindex, loader::kRootParent, kHandle};
  const sabot::v1::Deed deed = QdiscDeedOf(context, fault, device, at, "fq");
  auto root = loader::RootQdisc(*context.netlink, device.ifindex);
  if (root.ok() && root->spec.kind == "fq" && root->at.handle != 0) {
    return std::make_unique<FqHook>(context, root->at, deed.qdisc(), 0);
  }
  SABOT_ASSIGN_OR_RETURN(const uint64_t sequence, context.journal.Begin(deed));
  if (absl::Status made = loader::CreateQdisc(*context.netlink, at, Spec(0)); !made.ok()) {
    SABOT_RETURN_IF_ERROR(context.journal.Undone(sequence));
    return made;
  }
  return std::make_unique<FqHook>(context, at, deed.qdisc(), sequence);
}

}  // namespace sabot::agent
