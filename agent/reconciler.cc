// SPDX-License-Identifier: Apache-2.0
#include "agent/reconciler.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "agent/faults/fault_context.h"
#include "agent/live_fault.h"
#include "loader/clock.h"
#include "loader/status.h"

namespace sabot::agent {
namespace {

using sabot::v1::FaultStatus;
using sabot::v1::NodeFaultMap;

constexpr uint64_t kLeaseNs = 3'000'000'000;
constexpr uint64_t kRenewEveryNs = 200'000'000;
constexpr uint64_t kRefreshEveryNs = 1'000'000'000;
constexpr absl::Duration kTick = absl::Milliseconds(250);
constexpr absl::Duration kUndoTick = absl::Milliseconds(2);
constexpr size_t kMaxId = 512;

absl::Status ValidateMap(const NodeFaultMap& map, size_t max_faults) {
  if (static_cast<size_t>(map.faults_size()) > max_faults) {
    return absl::InvalidArgumentError(absl::StrCat("faults: ", map.faults_size(), " are more than the ",
                                                   max_faults, " that this agent holds"));
  }
  std::set<std::string> ids;
  for (const auto& fault : map.faults()) {
    if (fault.id().empty() || fault.id().size() > kMaxId) {
      return absl::InvalidArgumentError(absl::StrCat("faults.id: must have 1 to ", kMaxId, " bytes"));
    }
    if (!ids.insert(fault.id()).second) {
      return absl::InvalidArgumentError(absl::StrCat("faults.id: ", fault.id(), " is there twice"));
    }
  }
  return absl::OkStatus();
}

// Whether a re-sent fault is another one under the same name; its deadline may differ.
bool SameButDeadline(sabot::v1::Fault a, sabot::v1::Fault b) {
  a.clear_expires_in_ms();
  b.clear_expires_in_ms();
  return a.SerializeAsString() == b.SerializeAsString();
}

}  // namespace

// Everything below `mutex_` is shared; the rest belongs to the owner thread.
class Reconciler::Loop {
 public:
  Loop(Options options, Journal& journal, const StateDir& state_dir, const loader::Features& features)
      : options_(std::move(options)),
        state_dir_(state_dir),
        context_({.max_targets = options_.max_targets,
                  .max_faults = options_.max_faults,
                  .max_peers = options_.max_peers,
                  .owner = options_.owner,
                  .helper_path = options_.helper_path},
                 journal, state_dir, features),
        runtime_{context_, features, options_.forced, options_.containers},
        thread_([this] { Run(); }) {}

  ~Loop() {
    Post([this] {
      EndAll("");
      stopping_ = true;
    });
    thread_.join();
  }

  // Runs `command` on the owner thread, at its next turn.
  void Post(std::function<void()> command) {
    absl::MutexLock lock(&mutex_);
    commands_.push_back(std::move(command));
  }

  // The same, and waits for it.
  void Do(const std::function<void()>& command) {
    absl::Notification done;
    Post([&] {
      command();
      done.Notify();
    });
    done.WaitForNotification();
  }

  // Waits until `condition` holds on the owner thread after one of its turns.
  bool Await(const std::function<bool()>& condition, absl::Duration timeout) {
    auto waiter = std::make_shared<Waiter>();
    waiter->condition = condition;
    Post([this, waiter] { waiters_.push_back(waiter); });
    if (waiter->done.WaitForNotificationWithTimeout(timeout)) return true;
    Do([&] { std::erase(waiters_, waiter); });
    return waiter->done.HasBeenNotified();
  }

  // --- On the owner thread ---

  absl::Status Accept(const NodeFaultMap& map) {
    if (state_dir_.IsHalted()) {
      return absl::FailedPreconditionError("this machine is halted and takes no faults until `sabot resume`");
    }
    if (map.revision() < revision_) {
      return absl::FailedPreconditionError(
          absl::StrCat("revision ", map.revision(), " is older than ", revision_));
    }
    SABOT_RETURN_IF_ERROR(ValidateMap(map, options_.max_faults));
    revision_ = map.revision();
    Merge(map);
    return absl::OkStatus();
  }

  std::vector<FaultStatus> Status() {
    const uint64_t now = loader::BootTimeNs();
    std::vector<FaultStatus> all;
    for (auto& [id, fault] : faults_) all.push_back(fault->Status(now));
    for (auto& fault : retired_) all.push_back(fault->Status(now));
    return all;
  }

  void EndAll(const std::string& why) {
    ForEach([&](LiveFault& fault) { fault.End(sabot::v1::RECOVERED, why); });
  }

  void Forget() {
    revision_ = 0;
    Merge({});
  }

  // Nothing is left to do that was not at least tried.
  bool Settled() {
    bool settled = true;
    ForEach([&](LiveFault& fault) {
      const bool stuck = fault.phase() == sabot::v1::LEFTOVER;
      settled &= fault.over() || stuck || (fault.tried() && !fault.ending());
    });
    return settled;
  }

  bool Over() {
    bool over = true;
    ForEach([&](LiveFault& fault) { over &= fault.over(); });
    return over;
  }

 private:
  struct Waiter {
    std::function<bool()> condition;
    absl::Notification done;
  };

  // What is to be undone comes first.
  void ForEach(const std::function<void(LiveFault&)>& visit) {
    for (auto& fault : retired_) visit(*fault);
    for (auto& [id, fault] : faults_) visit(*fault);
  }

  void Retire(std::unique_ptr<LiveFault> fault, const std::string& why) {
    fault->End(sabot::v1::RECOVERED, why);
    retired_.push_back(std::move(fault));
  }

  void Merge(const NodeFaultMap& map) {
    const uint64_t now = loader::BootTimeNs();
    std::erase_if(retired_, [](const auto& fault) { return fault->over(); });
    std::map<std::string, std::unique_ptr<LiveFault>> wanted;
    size_t begun = 0;
    for (const sabot::v1::Fault& fault : map.faults()) {
      auto known = faults_.find(fault.id());
      if (known != faults_.end() && SameButDeadline(known->second->fault(), fault)) {
        known->second->Renew(fault, now);
        wanted[fault.id()] = std::move(known->second);
        faults_.erase(known);
      } else {
        wanted[fault.id()] = std::make_unique<LiveFault>(fault, now);
        ++begun;
      }
    }
    context_.SetAtOnce(begun);
    for (auto& [id, fault] : faults_) Retire(std::move(fault), wanted.contains(id) ? "replaced" : "");
    faults_ = std::move(wanted);
  }

  void Run() {
    while (true) {
      TakeCommands();
      Turn();
      std::erase_if(waiters_, [](const auto& waiter) {
        if (!waiter->condition()) return false;
        waiter->done.Notify();
        return true;
      });
      if (stopping_ && (Over() || Settled())) return;
      Sleep();
    }
  }

  void TakeCommands() {
    std::deque<std::function<void()>> commands;
    {
      absl::MutexLock lock(&mutex_);
      commands.swap(commands_);
    }
    for (const auto& command : commands) command();
  }

  void Turn() {
    if (Over()) return context_.Sweep();
    if (state_dir_.IsHalted()) EndAll("halted");
    RenewLease();
    Refresh();
    ForEach([&](LiveFault& fault) {
      RenewLease();
      StepAndTell(fault);
    });
    context_.Sweep();
  }

  // Also in the middle of a turn that takes long. Cheap when the lease is young.
  void RenewLease() {
    const uint64_t now = loader::BootTimeNs();
    if (now < renewed_ns_ + kRenewEveryNs) return;
    renewed_ns_ = now;
    context_.SetLease(now + kLeaseNs);
  }

  void Refresh() {
    const uint64_t now = loader::BootTimeNs();
    if (now < refreshed_ns_ + kRefreshEveryNs) return;
    refreshed_ns_ = now;
    const absl::Status status = context_.Refresh();
    // Said once, not every second while it lasts.
    if (!status.ok() && status != trouble_ && options_.on_trouble) options_.on_trouble(status);
    trouble_ = status;
  }

  void StepAndTell(LiveFault& fault) {
    const auto before = fault.phase();
    const uint64_t now = loader::BootTimeNs();
    fault.Step(runtime_, now);
    if (fault.phase() != before && options_.on_change) options_.on_change(fault.Status(now));
  }

  // Until there is a command, or something is due.
  void Sleep() {
    uint64_t due = UINT64_MAX;
    bool ending = false, live = false;
    ForEach([&](LiveFault& fault) {
      due = std::min(due, fault.due_ns());
      ending |= fault.ending();
      live |= !fault.over();
    });
    absl::Duration longest = ending ? kUndoTick : live ? kTick : absl::InfiniteDuration();
    const uint64_t now = loader::BootTimeNs();
    if (due != UINT64_MAX) longest = std::min(longest, absl::Nanoseconds(due > now ? due - now : 0));
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(this, &Loop::HasCommands), longest);
  }

  bool HasCommands() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !commands_.empty(); }

  const Options options_;
  const StateDir& state_dir_;
  FaultContext context_;
  FaultRuntime runtime_;
  std::map<std::string, std::unique_ptr<LiveFault>> faults_;  // the desired map
  std::vector<std::unique_ptr<LiveFault>> retired_;  // left it; kept for the status until the next map
  std::vector<std::shared_ptr<Waiter>> waiters_;
  uint64_t revision_ = 0;
  uint64_t renewed_ns_ = 0, refreshed_ns_ = 0;
  absl::Status trouble_;
  bool stopping_ = false;

  absl::Mutex mutex_;
  std::deque<std::function<void()>> commands_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;  // last: it uses all of the above
};

Reconciler::Reconciler(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}

std::unique_ptr<Reconciler> Reconciler::Start(Options options, Journal& journal, const StateDir& state_dir,
                                              const loader::Features& features) {
  auto loop = std::make_unique<Loop>(std::move(options), journal, state_dir, features);
  return std::unique_ptr<Reconciler>(new Reconciler(std::move(loop)));
}

Reconciler::~Reconciler() = default;

absl::Status Reconciler::Apply(const NodeFaultMap& map) {
  absl::Status accepted;
  loop_->Do([&] { accepted = loop_->Accept(map); });
  if (accepted.ok()) loop_->Await([this] { return loop_->Settled(); }, absl::InfiniteDuration());
  return accepted;
}

std::vector<FaultStatus> Reconciler::Status() {
  std::vector<FaultStatus> status;
  loop_->Do([&] { status = loop_->Status(); });
  return status;
}

void Reconciler::Halt() {
  loop_->Do([this] { loop_->EndAll("halted"); });
  loop_->Await([this] { return loop_->Settled(); }, absl::InfiniteDuration());
}

void Reconciler::Release() {
  loop_->Post([this] { loop_->Forget(); });
}

bool Reconciler::WaitUntilOver(absl::Duration timeout) {
  return loop_->Await([this] { return loop_->Over(); }, timeout);
}

}  // namespace sabot::agent
