// SPDX-License-Identifier: Apache-2.0
//
// A tap device beside the target's own, and a helper process that holds packets. The egress body hands
// packets over; a program at the tap's ingress sends what comes back out through the target's device.
//
// What if the helper dies or hangs: its heartbeat grows old and the egress body passes packets undelayed; the
// hook is then unhealthy and is replaced. What if the agent dies: the helper releases what it holds, in time,
// and leaves, and the tap goes with it.
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "agent/network/hook.h"
#include "agent/pacer/client.h"
#include "agent/pacer/tap.h"
#include "bpf/abi/pacer.h"
#include "loader/attach.h"
#include "loader/clock.h"
#include "loader/netlink_filter.h"
#include "loader/netlink_qdisc.h"
#include "loader/redirect.h"
#include "loader/status.h"

namespace sabot::agent {
namespace {

constexpr absl::Duration kFirstHeartbeat = absl::Seconds(2);
// Longer than the longest delay that a fault may ask for.
constexpr absl::Duration kMaxHold = absl::Hours(2);
constexpr absl::Duration kStatsTimeout = absl::Milliseconds(20);

class PacerHook : public Hook {
 public:
  PacerHook(const HookContext& context, uint32_t ifindex, PooledIndex heartbeat, pacer::Tap tap,
            loader::UniqueFd link, HelperProcess helper, uint64_t sequence)
      : context_(context),
        ifindex_(ifindex),
        heartbeat_(std::move(heartbeat)),
        tap_(std::move(tap)),
        link_(std::move(link)),
        helper_(std::move(helper)),
        sequence_(sequence) {}
  ~PacerHook() override { Remove().IgnoreError(); }

  bool Healthy() override { return helper_.Alive() && Fresh(); }

  bool Drained() override {
    if (!helper_.Alive()) return true;
    auto stats = pacer::QueryStats(helper_.control_fd(), kStatsTimeout);
    return !stats.ok() || stats->held == 0;
  }

  absl::Status Remove() override {
    if (sequence_ == 0) return absl::OkStatus();
    SABOT_RETURN_IF_ERROR(context_.programs.ErasePacer(context_.lane, ifindex_));
    SABOT_RETURN_IF_ERROR(helper_.Kill());
    tap_.CloseFd();
    link_.Reset();
    loader::Store(context_.programs.heartbeats()[heartbeat_.get()], 0);
    return context_.journal.Undone(std::exchange(sequence_, 0));
  }

  absl::Status WaitForHeartbeat() {
    const absl::Time until = absl::Now() + kFirstHeartbeat;
    while (!Fresh()) {
      if (!helper_.Alive()) {
        return absl::InternalError(absl::StrCat("start sabot-helper pacer: it ", helper_.ending()));
      }
      if (absl::Now() > until) return absl::DeadlineExceededError("sabot-helper pacer gives no heartbeat");
      absl::SleepFor(absl::Microseconds(200));
    }
    return absl::OkStatus();
  }

 private:
  bool Fresh() {
    return context_.programs.heartbeats()[heartbeat_.get()] + SABOT_PACER_HEARTBEAT_NS > loader::BootTimeNs();
  }

  const HookContext& context_;
  uint32_t ifindex_;
  PooledIndex heartbeat_;
  pacer::Tap tap_;
  loader::UniqueFd link_;
  HelperProcess helper_;
  uint64_t sequence_;  // in the journal; 0: removed
};

// By tcx the returned link owns the attachment; by clsact the tap device does, and the link is invalid.
absl::StatusOr<loader::UniqueFd> AttachReturn(const HookContext& context, const pacer::Tap& tap,
                                              uint32_t ifindex, bool tcx) {
  SABOT_ASSIGN_OR_RETURN(loader::UniqueFd program, loader::LoadRedirect(ifindex));
  if (tcx) {
    SABOT_ASSIGN_OR_RETURN(loader::ScopedNetns inside, loader::ScopedNetns::Enter(*context.netns));
    return loader::AttachTcx(program.get(), tap.ifindex(), loader::Direction::kIngress);
  }
  SABOT_RETURN_IF_ERROR(loader::EnsureClsact(*context.netlink, tap.ifindex()).status());
  SABOT_RETURN_IF_ERROR(loader::AddBpfFilter(
      *context.netlink,
      {.ifindex = tap.ifindex(), .parent = loader::kClsactIngress, .priority = 1, .handle = 1},
      {.program_fd = program.get(), .name = "sabot_return", .direct_action = true, .class_id = 0}));
  return loader::UniqueFd();
}

absl::StatusOr<pacer::Tap> MakeTap(const HookContext& context) {
  SABOT_ASSIGN_OR_RETURN(loader::ScopedNetns inside, loader::ScopedNetns::Enter(*context.netns));
  return pacer::Tap::Create();
}

sabot::v1::Deed HelperDeedOf(const std::string& fault, const HelperProcess& helper) {
  sabot::v1::Deed deed;
  deed.set_fault_id(fault);
  deed.mutable_helper()->set_pid(static_cast<uint32_t>(helper.pid()));
  deed.mutable_helper()->set_start_time(helper.start_time());
  return deed;
}

}  // namespace

absl::StatusOr<HookPtr> AttachPacerHook(const HookContext& context, const std::string& fault,
                                        const loader::Link& device, bool tcx) {
  SABOT_RETURN_IF_ERROR(context.programs.Load(SABOT_BODY_PACER));
  SABOT_ASSIGN_OR_RETURN(PooledIndex heartbeat, context.heartbeats.Take());
  loader::Store(context.programs.heartbeats()[heartbeat.get()], 0);
  SABOT_ASSIGN_OR_RETURN(pacer::Tap tap, MakeTap(context));
  SABOT_ASSIGN_OR_RETURN(loader::UniqueFd link, AttachReturn(context, tap, device.ifindex, tcx));
  pacer::PacerOptions options;
  options.program = context.helper_path;
  options.tap_fd = tap.fd();
  options.heartbeat_fd = context.programs.heartbeats_fd();
  options.heartbeat_index = heartbeat.get();
  options.max_hold = kMaxHold;
  if (link.valid()) options.kept_fds.push_back(link.get());
  // The helper ends by itself when the agent does, so it may start before the journal knows of it; the entry
  // is for one that was stopped and cannot.
  SABOT_ASSIGN_OR_RETURN(HelperProcess helper, pacer::StartPacer(options));
  SABOT_ASSIGN_OR_RETURN(const uint64_t sequence, context.journal.Begin(HelperDeedOf(fault, helper)));
  const uint32_t tap_ifindex = tap.ifindex();
  const uint32_t ifindex = device.ifindex;
  const uint32_t beat = heartbeat.get();
  auto hook = std::make_unique<PacerHook>(context, ifindex, std::move(heartbeat), std::move(tap),
                                          std::move(link), std::move(helper), sequence);
  SABOT_RETURN_IF_ERROR(hook->WaitForHeartbeat());
  SABOT_RETURN_IF_ERROR(
      context.programs.SetPacer(context.lane, ifindex, {.tap_ifindex = tap_ifindex, .heartbeat = beat}));
  return hook;
}

}  // namespace sabot::agent
