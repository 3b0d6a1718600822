// SPDX-License-Identifier: Apache-2.0
#include "agent/pacer/pacer.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "agent/pacer/clock.h"
#include "agent/pacer/control.h"
#include "loader/status.h"

namespace sabot::pacer {
namespace {

// At rest the timer does the chores ten times a second; under load the loop sees to them twice as often.
constexpr uint64_t kRestNs = 100 * kMillisecond;
constexpr uint64_t kChoresNs = 50 * kMillisecond;
// Reads and writes take turns in bursts of at most this many frames.
constexpr int kBurst = 16;
// The kernel side may have looked at the heartbeat just before it was cleared.
constexpr uint64_t kStragglerNs = 20 * kMillisecond;
// The most by which the timer is set earlier than a frame is due, which bounds the spinning.
constexpr uint64_t kMaxLeadNs = 50 * kMicrosecond;
constexpr uint64_t kLeadStepNs = 250;

absl::Status Watch(int epoll, int fd, uint32_t events, const char* what) {
  epoll_event event = {.events = events, .data = {.fd = fd}};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0) return absl::OkStatus();
  return ErrnoStatus(errno, absl::StrCat("watch the ", what));
}

}  // namespace

absl::StatusOr<Pacer> Pacer::Create(int tap_fd, int control_fd, FrameStore store, Heartbeat heartbeat,
                                    Urgency urgency) {
  Pacer pacer(tap_fd, control_fd, std::move(store), std::move(heartbeat), urgency);
  pacer.epoll_.Reset(epoll_create1(EPOLL_CLOEXEC));
  if (!pacer.epoll_.valid()) return ErrnoStatus(errno, "make an epoll descriptor");
  pacer.timer_.Reset(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!pacer.timer_.valid()) return ErrnoStatus(errno, "make a timer");
  SABOT_RETURN_IF_ERROR(Watch(pacer.epoll_.get(), tap_fd, EPOLLIN, "tap"));
  SABOT_RETURN_IF_ERROR(Watch(pacer.epoll_.get(), control_fd, EPOLLIN, "control socket"));
  // By edges, so that an expired timer need not be read.
  SABOT_RETURN_IF_ERROR(Watch(pacer.epoll_.get(), pacer.timer_.get(), EPOLLIN | EPOLLET, "timer"));
  return pacer;
}

Pacer::Pacer(int tap_fd, int control_fd, FrameStore store, Heartbeat heartbeat, Urgency urgency)
    : tap_fd_(tap_fd),
      control_fd_(control_fd),
      store_(std::move(store)),
      heartbeat_(std::move(heartbeat)),
      urgency_(urgency) {}

absl::Status Pacer::Run() {
  awake_ns_ = NowNs(CLOCK_MONOTONIC);
  while (true) {
    now_ns_ = NowNs(CLOCK_MONOTONIC);
    AccountWork();
    if (now_ns_ - chores_ns_ >= kChoresNs) DoChores();
    bool worked = ReleaseDue();
    worked |= ReadSome();
    if (tap_gone_) return absl::UnavailableError("the tap device is gone");
    if (MayLeave(worked)) return absl::OkStatus();
    if (worked || WorthSpinning()) continue;
    SABOT_RETURN_IF_ERROR(Sleep());
  }
}

bool Pacer::ReleaseDue() {
  int done = 0;
  for (; done < kBurst && store_.NextRelease() <= now_ns_; ++done) {
    store_.WriteTo(tap_fd_, now_ns_);
    now_ns_ = NowNs(CLOCK_MONOTONIC);
  }
  return done > 0;
}

bool Pacer::ReadSome() {
  int done = 0;
  for (; done < kBurst; ++done) {
    FrameStore::ReadResult result = store_.ReadFrom(tap_fd_, now_ns_);
    if (result == FrameStore::ReadResult::kGone) tap_gone_ = true;
    if (result != FrameStore::ReadResult::kFrame) break;
    now_ns_ = last_frame_ns_ = NowNs(CLOCK_MONOTONIC);
    if (store_.NextRelease() <= now_ns_) return true;
  }
  return done > 0;
}

void Pacer::DoChores() {
  chores_ns_ = now_ns_;
  if (agent_lost_ns_ == 0) heartbeat_.Beat();
  if (agent_lost_ns_ == 0) ServeControl();
  if (store_.empty() && now_ns_ - last_frame_ns_ > kSecond) store_.Trim();
}

void Pacer::ServeControl() {
  StatsRequest request;
  ssize_t got;
  while ((got = recv(control_fd_, &request, sizeof(request), MSG_DONTWAIT)) > 0) {
    if (got != sizeof(request) || request.type != MessageType::kStats) continue;
    Answer(request.serial);
  }
  if (got == 0 || (errno != EAGAIN && errno != EINTR)) LoseAgent();
}

void Pacer::Answer(uint32_t serial) {
  Stats answer = store_.TakeStats();
  answer.serial = serial;
  answer.realtime = urgency_.allowed();
  // An agent that does not read its answers does not get more of them.
  (void)!send(control_fd_, &answer, sizeof(answer), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void Pacer::LoseAgent() {
  agent_lost_ns_ = now_ns_;
  heartbeat_.Clear();
  // Else its end of file would wake the loop for ever.
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, control_fd_, nullptr);
}

bool Pacer::MayLeave(bool worked) const {
  if (agent_lost_ns_ == 0 || !store_.empty()) return false;
  // Frames that are not ours may come for ever.
  return now_ns_ - agent_lost_ns_ >= (worked ? kSecond : kStragglerNs);
}

bool Pacer::WorthSpinning() const {
  uint64_t next = store_.NextRelease();
  return next != UINT64_MAX && next <= now_ns_ + lead_ns_;
}

uint64_t Pacer::NextWakeUp() const {
  uint64_t chores = agent_lost_ns_ == 0 ? chores_ns_ + kRestNs : UINT64_MAX;
  if (!store_.empty()) return std::min(chores, store_.NextRelease() - lead_ns_);
  return agent_lost_ns_ == 0 ? chores : agent_lost_ns_ + kStragglerNs;
}

absl::Status Pacer::Sleep() {
  ArmTimer(NextWakeUp());
  epoll_event events[3];
  int count = epoll_wait(epoll_.get(), events, 3, -1);
  if (count < 0 && errno != EINTR) return ErrnoStatus(errno, "wait for frames");
  now_ns_ = NowNs(CLOCK_MONOTONIC);
  urgency_.Slept(now_ns_ - awake_ns_);
  awake_ns_ = now_ns_;
  for (int i = 0; i < count; ++i) {
    if (events[i].data.fd == timer_.get()) LearnLateness();
    if (events[i].data.fd == control_fd_) ServeControl();
  }
  return absl::OkStatus();
}

void Pacer::AccountWork() {
  urgency_.Worked(now_ns_ - awake_ns_);
  awake_ns_ = now_ns_;
}

void Pacer::ArmTimer(uint64_t at_ns) {
  if (armed_ns_ == at_ns) return;
  armed_ns_ = at_ns;
  itimerspec spec = {};
  spec.it_value.tv_sec = at_ns / kSecond;
  spec.it_value.tv_nsec = at_ns % kSecond;
  timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &spec, nullptr);
}

// Aims at waking up early enough in four cases of five.
void Pacer::LearnLateness() {
  if (now_ns_ < armed_ns_) return;
  uint64_t late = now_ns_ - armed_ns_;
  if (late > lead_ns_) lead_ns_ = std::min(lead_ns_ + 4 * kLeadStepNs, kMaxLeadNs);
  if (late < lead_ns_) lead_ns_ -= std::min(lead_ns_, kLeadStepNs);
}

}  // namespace sabot::pacer
