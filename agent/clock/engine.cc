// SPDX-License-Identifier: Apache-2.0
#include "agent/clock/engine.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/clock/journalled.h"
#include "agent/clock/process_list.h"
#include "loader/clock.h"
#include "loader/status.h"

namespace sabot::agent {
namespace {

constexpr uint64_t kNsPerMs = 1'000'000;
// The lease is three seconds long; shims hear of a new one when theirs is this much older.
constexpr uint64_t kPushEveryNs = 800 * kNsPerMs;
constexpr uint64_t kRetryNs = 2 * kNsPerMs;
constexpr uint64_t kLookNs = 25 * kNsPerMs;
// Threads are given this often, 2 ms apart, to leave the shim. One that does not is left with a shim that
// does nothing, to which no way leads any more.
constexpr int kMaxRestores = 500;

absl::StatusOr<uint64_t> RandomId() {
  uint64_t id = 0;
  while (id == 0) {
    if (::getrandom(&id, sizeof(id), 0) != sizeof(id)) return ErrnoStatus(errno, "get a random number");
  }
  return id;
}

std::string KeyOf(const ResolvedTarget& target) {
  if (target.cgroup_is_target) return absl::StrCat("clock-cgroup-", target.cgroup->id);
  return absl::StrCat("clock-pid-", target.main->pid, "-", target.main->start_time);
}

uint64_t InodeOf(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_ino : 0;
}

// What the time namespace of a process adds to CLOCK_MONOTONIC and CLOCK_BOOTTIME; in the order of the ids.
ClockReadings ShiftOf(pid_t pid) {
  ClockReadings shift = {};
  const uint64_t ours = InodeOf("/proc/self/ns/time");
  const uint64_t theirs = InodeOf(absl::StrCat("/proc/", pid, "/ns/time"));
  if (ours == 0 || theirs == 0 || ours == theirs) return shift;
  const auto read = [](const std::string& path, int64_t& monotonic, int64_t& boottime) {
    std::ifstream file(path);
    std::string name;
    for (int64_t sec = 0, nsec = 0; file >> name >> sec >> nsec;) {
      (name == "monotonic" || name == "1" ? monotonic : boottime) = sec * 1'000'000'000 + nsec;
    }
  };
  int64_t monotonic = 0, boottime = 0, our_monotonic = 0, our_boottime = 0;
  read(absl::StrCat("/proc/", pid, "/timens_offsets"), monotonic, boottime);
  read("/proc/self/timens_offsets", our_monotonic, our_boottime);
  for (const size_t clock : {1, 2, 3, 4, 6}) shift[clock] = monotonic - our_monotonic;
  for (const size_t clock : {7, 9}) shift[clock] = boottime - our_boottime;
  return shift;
}

bool IsGone(pid_t pid) { return ::kill(pid, 0) != 0 && errno == ESRCH; }

}  // namespace

ClockEngine::ClockEngine(Options options, loader::VdsoImage image, Shim shim, uint64_t owner_id,
                         Journal& journal, const StateDir& state_dir,
                         std::unique_ptr<loader::ProcessEvents> events, loader::UniqueFd wake)
    : options_(std::move(options)),
      image_(std::move(image)),
      shim_(std::move(shim)),
      owner_id_(owner_id),
      journal_(journal),
      state_dir_(state_dir),
      events_(std::move(events)),
      wake_(std::move(wake)),
      thread_([this] { Watch(); }) {}

absl::StatusOr<std::unique_ptr<ClockEngine>> ClockEngine::Create(Options options, Journal& journal,
                                                                 const StateDir& state_dir) {
  SABOT_ASSIGN_OR_RETURN(const uint64_t id, RandomId());
  SABOT_ASSIGN_OR_RETURN(loader::VdsoImage image, loader::OwnVdso());
  auto shim = BuildShim(image, id);
  if (absl::IsFailedPrecondition(shim.status())) return absl::UnimplementedError(shim.status().message());
  if (!shim.ok()) return shim.status();
  std::unique_ptr<loader::ProcessEvents> events;
  if (options.follow) {
    SABOT_ASSIGN_OR_RETURN(events, loader::ProcessEvents::Create());
  }
  loader::UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.valid()) return ErrnoStatus(errno, "make an eventfd");
  return std::unique_ptr<ClockEngine>(new ClockEngine(std::move(options), std::move(image), *std::move(shim),
                                                      id, journal, state_dir, std::move(events),
                                                      std::move(wake)));
}

ClockEngine::~ClockEngine() {
  {
    absl::MutexLock lock(&mutex_);
    for (auto& [key, site] : sites_) {
      for (auto& [number, rule] : site.rules) rule.ended = true;
    }
    for (int i = 0; i <= kMaxRestores && !processes_.empty(); ++i) {
      if (i > 0) absl::SleepFor(absl::Milliseconds(2));
      RestoreUnwanted().IgnoreError();
    }
    while (!sites_.empty() && processes_.empty()) {
      if (!RemoveSite(sites_.begin()->first).ok()) break;  // the journal keeps it
    }
    stopping_ = true;
  }
  Wake();
  thread_.join();
}

// --- Rules, on the owner thread ---

absl::StatusOr<int> ClockEngine::Add(const ResolvedTarget& target, const std::string& fault_id,
                                     const Skew& skew) {
  absl::MutexLock lock(&mutex_);
  SABOT_ASSIGN_OR_RETURN(const std::string key, Ensure(target, fault_id));
  const int number = next_rule_++;
  Rule& rule = sites_[key].rules[number];
  rule.skew = skew;
  site_of_rule_[number] = key;
  absl::Status status;
  for (auto& [pid, process] : processes_) {
    if (!process.sites.contains(key)) continue;
    ++rule.seen;
    rule.matched += process.counted ? 1 : 0;
    rule.affected += process.patched ? 1 : 0;
    status.Update(SettingOf(process).status());
  }
  if (status.ok()) {
    PushAll();
    FindMembers(key);
  }
  // Nothing at all can be done: say why. What has no processes yet may get some.
  std::string refusal;
  bool refused = false, covered = false;
  for (const auto& [pid, process] : processes_) {
    if (!process.sites.contains(key)) continue;
    refused |= !process.refusal.empty();
    covered |= process.refusal.empty();
    if (refusal.empty()) refusal = process.refusal;
  }
  if (status.ok() && refused && !covered) status = absl::FailedPreconditionError(refusal);
  if (status.ok()) {
    Wake();
    return number;
  }
  sites_[key].rules[number].ended = true;
  PushAll();
  for (int i = 0; i < kMaxRestores && sites_.contains(key); ++i) {
    RestoreUnwanted().IgnoreError();
    const bool others = std::any_of(sites_[key].rules.begin(), sites_[key].rules.end(),
                                    [](const auto& entry) { return !entry.second.ended; });
    const bool empty = std::none_of(processes_.begin(), processes_.end(),
                                    [&](const auto& entry) { return entry.second.sites.contains(key); });
    if (others) break;
    if (empty && RemoveSite(key).ok()) break;
    absl::SleepFor(absl::Milliseconds(2));
  }
  if (auto site = sites_.find(key); site != sites_.end()) site->second.rules.erase(number);
  site_of_rule_.erase(number);
  return status;
}

absl::StatusOr<std::string> ClockEngine::Ensure(const ResolvedTarget& target, const std::string& fault_id) {
  const std::string key = KeyOf(target);
  if (sites_.contains(key)) return key;
  SABOT_ASSIGN_OR_RETURN(TargetClaim claim, state_dir_.ClaimTarget(key, options_.owner));
  sabot::v1::Deed deed;
  deed.set_fault_id(fault_id);
  *deed.mutable_clock() = ClockDeedOf(shim_, owner_id_);
  SABOT_ASSIGN_OR_RETURN(const uint64_t sequence, journal_.Begin(deed));
  Site& site = sites_[key];
  site.claim = std::move(claim);
  site.deed = sequence;
  absl::Status followed;
  if (target.cgroup_is_target) {
    site.group = target.cgroup;
    if (events_ != nullptr) followed = events_->AddGroup(site.group->id);
  } else {
    site.root = target.main->pid;
    if (events_ != nullptr) followed = events_->Track(site.root);
  }
  if (followed.ok()) return key;
  RemoveSite(key).IgnoreError();
  return followed;
}

absl::Status ClockEngine::RemoveSite(const std::string& key) {
  const auto found = sites_.find(key);
  Site& site = found->second;
  if (events_ != nullptr && site.group) SABOT_RETURN_IF_ERROR(events_->RemoveGroup(site.group->id));
  if (events_ != nullptr && site.root != 0) SABOT_RETURN_IF_ERROR(events_->Untrack(site.root));
  SABOT_RETURN_IF_ERROR(journal_.Undone(site.deed));
  sites_.erase(found);
  return absl::OkStatus();
}

absl::Status ClockEngine::End(int rule) {
  absl::MutexLock lock(&mutex_);
  Rule& ending = sites_.at(site_of_rule_.at(rule)).rules.at(rule);
  if (ending.ended) return absl::OkStatus();
  ending.ended = true;
  PushAll();
  return absl::OkStatus();
}

absl::StatusOr<bool> ClockEngine::Gone(int rule) {
  absl::MutexLock lock(&mutex_);
  const auto where = site_of_rule_.find(rule);
  if (where == site_of_rule_.end()) return true;
  const std::string key = where->second;
  SABOT_RETURN_IF_ERROR(RestoreUnwanted());
  Site& site = sites_.at(key);
  const bool others = std::any_of(site.rules.begin(), site.rules.end(),
                                  [](const auto& entry) { return !entry.second.ended; });
  const bool left = std::any_of(processes_.begin(), processes_.end(),
                                [&](const auto& entry) { return entry.second.sites.contains(key); });
  return others || !left;
}

sabot::v1::Counters ClockEngine::Observe(int rule) {
  absl::MutexLock lock(&mutex_);
  sabot::v1::Counters counters;
  const auto where = site_of_rule_.find(rule);
  if (where == site_of_rule_.end()) return counters;
  const Rule& observed = sites_.at(where->second).rules.at(rule);
  counters.set_seen(observed.seen);
  counters.set_matched(observed.matched);
  counters.set_affected(observed.affected);
  return counters;
}

void ClockEngine::Forget(int rule) {
  absl::MutexLock lock(&mutex_);
  const auto where = site_of_rule_.find(rule);
  if (where == site_of_rule_.end()) return;
  const std::string key = where->second;
  Site& site = sites_.at(key);
  site.rules.erase(rule);
  site_of_rule_.erase(where);
  const bool left = std::any_of(processes_.begin(), processes_.end(),
                                [&](const auto& entry) { return entry.second.sites.contains(key); });
  if (site.rules.empty() && !left) RemoveSite(key).IgnoreError();
}

std::string ClockEngine::Uncovered(int rule) {
  absl::MutexLock lock(&mutex_);
  const auto where = site_of_rule_.find(rule);
  if (where == site_of_rule_.end()) return "";
  int count = 0;
  std::string first;
  for (const auto& [pid, process] : processes_) {
    if (!process.sites.contains(where->second) || process.refusal.empty()) continue;
    if (++count == 1) first = process.refusal;
  }
  if (count == 0) return "";
  return absl::StrCat(count, count == 1 ? " process is" : " processes are", " not covered: ", first);
}

// --- Processes ---

std::set<pid_t> ClockEngine::MembersOf(const Site& site) const {
  if (site.root != 0) return TreeOf(site.root);
  const auto members = sabot::agent::MembersOf(site.group->path);
  return members.ok() ? std::set<pid_t>(members->begin(), members->end()) : std::set<pid_t>();
}

// A process that forks while it is not tracked yet has a child that nobody tells of: looked for until there
// is none.
void ClockEngine::FindMembers(const std::string& key) {
  constexpr int kRounds = 50;
  bool any = true;
  for (int round = 0; any && round < kRounds; ++round) {
    any = false;
    for (const pid_t pid : MembersOf(sites_.at(key))) {
      const auto known = processes_.find(pid);
      if (known != processes_.end() && known->second.sites.contains(key)) continue;
      if (events_ != nullptr && !events_->Track(pid).ok()) continue;  // the next look tries again
      Join(pid, {key});
      any |= processes_.contains(pid);
    }
  }
}

bool ClockEngine::Wanted(const Process& process) const {
  for (const std::string& key : process.sites) {
    const auto site = sites_.find(key);
    if (site == sites_.end()) continue;
    for (const auto& [number, rule] : site->second.rules) {
      if (!rule.ended) return true;
    }
  }
  return false;
}

absl::StatusOr<ShimSetting> ClockEngine::SettingOf(const Process& process) const {
  std::vector<Skew> skews;
  for (const std::string& key : process.sites) {
    const auto site = sites_.find(key);
    if (site == sites_.end()) continue;
    for (const auto& [number, rule] : site->second.rules) {
      if (!rule.ended) skews.push_back(rule.skew);
    }
  }
  const uint64_t now = loader::BootTimeNs();
  if (skews.empty() || lease_ns_ <= now) return ShimSetting{};
  ClockReadings clocks = ReadClocks();
  for (size_t i = 0; i < clocks.size(); ++i) clocks[i] += process.shift[i];
  return SumOf(skews, clocks, now, lease_ns_);
}

void ClockEngine::Count(const Process& process, uint64_t Rule::*counter) {
  for (const std::string& key : process.sites) {
    const auto site = sites_.find(key);
    if (site == sites_.end()) continue;
    for (auto& [number, rule] : site->second.rules) {
      if (!rule.ended) ++(rule.*counter);
    }
  }
}

void ClockEngine::Join(pid_t pid, const std::set<std::string>& sites) {
  Process& process = processes_[pid];
  const bool fresh = process.pid == 0;
  process.pid = pid;
  process.sites.insert(sites.begin(), sites.end());
  if (fresh) process.shift = ShiftOf(pid);
  Count(process, &Rule::seen);
  TryPatch(process);
}

void ClockEngine::TryPatch(Process& process) {
  process.retry_ns = 0;
  if (!Wanted(process)) {
    // A child that was made while its parent was being restored.
    auto adopted = PatchedProcess::Adopt(process.pid, image_, shim_);
    if (!adopted.ok()) return Drop(process.pid);
    process.patched = *std::move(adopted);
    return;
  }
  const auto setting = SettingOf(process);
  absl::Status status = setting.status();
  if (process.pid == ::getpid()) status = absl::FailedPreconditionError("this program does not skew itself");
  if (status.ok()) {
    auto patched = PatchedProcess::Patch(process.pid, image_, shim_, *setting);
    status = patched.status();
    if (patched.ok()) process.patched = *std::move(patched);
  }
  // A process that executes something right now is another one a moment later.
  if (absl::IsNotFound(status) && !IsGone(process.pid) && process.restores++ < kMaxRestores) {
    status = absl::UnavailableError(status.message());
  }
  if (absl::IsNotFound(status)) return Drop(process.pid);
  const bool later = absl::IsUnavailable(status);
  if (!process.counted && (status.ok() || later)) {
    Count(process, &Rule::matched);
    process.counted = true;
  }
  if (status.ok()) {
    Count(process, &Rule::affected);
    process.restores = 0;
  }
  process.refusal = status.ok() || later ? "" : std::string(status.message());
  if (later) process.retry_ns = loader::BootTimeNs() + kRetryNs;
}

void ClockEngine::Drop(pid_t pid) {
  processes_.erase(pid);
  if (events_ != nullptr) events_->Untrack(pid).IgnoreError();
}

void ClockEngine::PushAll() {
  std::vector<pid_t> changed;
  for (auto& [pid, process] : processes_) {
    if (!process.patched) continue;
    const auto setting = SettingOf(process);
    if (setting.ok() && absl::IsNotFound(process.patched->Update(*setting))) changed.push_back(pid);
  }
  for (const pid_t pid : changed) Executed(pid);
  pushed_ns_ = lease_ns_;
}

absl::Status ClockEngine::RestoreUnwanted() {
  Drain();
  absl::Status first;
  std::vector<pid_t> gone;
  for (auto& [pid, process] : processes_) {
    if (Wanted(process)) continue;
    absl::StatusOr<bool> done = true;
    if (process.patched) done = process.patched->Restore();
    if (absl::IsNotFound(done.status())) done = true;
    const bool stuck = ++process.restores > kMaxRestores;
    if ((done.ok() && *done) || (done.ok() && stuck)) {
      gone.push_back(pid);
    } else if (!done.ok() && (stuck || !absl::IsUnavailable(done.status()))) {
      first.Update(done.status());
    }
  }
  // What they forked meanwhile is told of before they were stopped.
  Drain();
  for (const pid_t pid : gone) Drop(pid);
  return first;
}

// --- Following ---

void ClockEngine::SetLease(uint64_t boottime_ns) {
  absl::MutexLock lock(&mutex_);
  lease_ns_ = boottime_ns;
  if (boottime_ns >= pushed_ns_ + kPushEveryNs) PushAll();
}

absl::Status ClockEngine::Refresh() {
  absl::MutexLock lock(&mutex_);
  std::vector<pid_t> gone, refused;
  for (const auto& [pid, process] : processes_) {
    if (IsGone(pid)) {
      gone.push_back(pid);
    } else if (!process.refusal.empty()) {
      refused.push_back(pid);
    }
  }
  for (const pid_t pid : gone) Drop(pid);
  // A debugger may have left.
  for (const pid_t pid : refused) TryPatch(processes_.at(pid));
  const bool lost = events_ != nullptr && events_->lost() != std::exchange(lost_, events_->lost());
  for (const auto& [key, site] : sites_) {
    // Members of a group may have been moved there, of which nobody tells.
    if (site.group || lost) FindMembers(key);
  }
  return absl::OkStatus();
}

void ClockEngine::Drain() {
  if (events_ == nullptr) return;
  std::vector<sabot_process_event> events;
  events_->Drain([&](const sabot_process_event& event) { events.push_back(event); }).IgnoreError();
  for (const sabot_process_event& event : events) {
    const auto pid = static_cast<pid_t>(event.pid);
    if (event.kind == SABOT_PROCESS_FORKED) Forked(pid, static_cast<pid_t>(event.parent));
    if (event.kind == SABOT_PROCESS_EXECUTED) Executed(pid);
  }
}

void ClockEngine::Forked(pid_t pid, pid_t parent) {
  const auto from = processes_.find(parent);
  if (from == processes_.end()) return;
  const std::set<std::string> sites = from->second.sites;
  // Its number may have been somebody else's before.
  processes_.erase(pid);
  Join(pid, sites);
}

std::set<std::string> ClockEngine::GroupSitesOf(pid_t pid) const {
  std::set<std::string> keys;
  const auto mounts = CgroupMounts::Find();
  const auto group = mounts.ok() ? mounts->OfProcess(pid) : mounts.status();
  if (!group.ok()) return keys;
  for (const auto& [key, site] : sites_) {
    if (!site.group) continue;
    const auto relative = group->path.lexically_relative(site.group->path);
    if (!relative.empty() && *relative.begin() != "..") keys.insert(key);
  }
  return keys;
}

void ClockEngine::Executed(pid_t pid) {
  std::set<std::string> sites = GroupSitesOf(pid);
  if (const auto known = processes_.find(pid); known != processes_.end()) {
    // By descent it stays what it was; by group it is where it is now.
    for (const std::string& key : known->second.sites) {
      const auto site = sites_.find(key);
      if (site != sites_.end() && site->second.root != 0) sites.insert(key);
    }
    processes_.erase(known);
  }
  if (sites.empty() || IsGone(pid)) return Drop(pid);
  if (events_ != nullptr && !events_->Track(pid).ok()) return;
  Join(pid, sites);
}

// What is due; returns for how many milliseconds nothing will be, -1: until something happens.
int ClockEngine::Turn() {
  Drain();
  const uint64_t now = loader::BootTimeNs();
  std::vector<pid_t> due;
  bool waiting = false;
  for (const auto& [pid, process] : processes_) {
    if (process.retry_ns == 0 || !Wanted(process)) continue;
    waiting = true;
    if (process.retry_ns <= now) due.push_back(pid);
  }
  for (const pid_t pid : due) {
    if (const auto process = processes_.find(pid); process != processes_.end()) TryPatch(process->second);
  }
  if (events_ == nullptr && !sites_.empty()) {
    waiting = true;
    if (look_ns_ <= now) {
      std::vector<pid_t> changed;
      for (const auto& [pid, process] : processes_) {
        if (process.patched && absl::IsNotFound(process.patched->CheckReachable())) changed.push_back(pid);
      }
      for (const pid_t pid : changed) Executed(pid);
      for (const auto& [key, site] : sites_) FindMembers(key);
      look_ns_ = loader::BootTimeNs() + kLookNs;
    }
  }
  return waiting ? static_cast<int>(kRetryNs / kNsPerMs) : -1;
}

void ClockEngine::Watch() {
  while (true) {
    int patience = 0;
    {
      absl::MutexLock lock(&mutex_);
      if (stopping_) return;
      patience = Turn();
    }
    pollfd fds[2] = {{.fd = wake_.get(), .events = POLLIN, .revents = 0},
                     {.fd = events_ != nullptr ? events_->fd() : -1, .events = POLLIN, .revents = 0}};
    ::poll(fds, 2, patience);
    uint64_t ignored = 0;
    if ((fds[0].revents & POLLIN) != 0 && ::read(wake_.get(), &ignored, sizeof(ignored)) < 0) continue;
  }
}

void ClockEngine::Wake() const {
  const uint64_t one = 1;
  // It fails only when the counter is full, which wakes as well.
  if (::write(wake_.get(), &one, sizeof(one)) < 0) return;
}

}  // namespace sabot::agent
