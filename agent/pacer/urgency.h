// SPDX-License-Identifier: Apache-2.0
//
// How the pacer gets the processor when a frame is due although the machine is busy, without taking it from
// others for long: real-time scheduling as long as there is little to do, ordinary scheduling under load.
#ifndef SABOT_AGENT_PACER_URGENCY_H_
#define SABOT_AGENT_PACER_URGENCY_H_

#include <cstdint>

#include "agent/pacer/clock.h"

namespace sabot::pacer {

// Pure: says whether to be urgent. Urgent work costs credit, and sleep earns as much; so over any longer time
// less than half of one processor is taken with urgency, and a pacer that never sleeps is ordinary.
class UrgencyBudget {
 public:
  static constexpr uint64_t kMaxCredit = 10 * kMillisecond;

  void Worked(uint64_t ns) {
    if (!urgent_) return;
    credit_ -= ns < credit_ ? ns : credit_;
    urgent_ = credit_ > 0;
  }
  void Slept(uint64_t ns) {
    credit_ = ns < kMaxCredit - credit_ ? credit_ + ns : kMaxCredit;
    urgent_ |= credit_ == kMaxCredit;
  }
  bool urgent() const { return urgent_; }

 private:
  uint64_t credit_ = kMaxCredit;
  bool urgent_ = true;
};

// The scheduling of the calling thread, kept as the budget says. Not thread-safe.
class Urgency {
 public:
  // Needs CAP_SYS_NICE (then and later); without it, and where control groups forbid it, everything stays
  // ordinary.
  static Urgency Create();

  void Worked(uint64_t ns) {
    budget_.Worked(ns);
    Follow();
  }
  void Slept(uint64_t ns) {
    budget_.Slept(ns);
    Follow();
  }
  // Whether the kernel allows it.
  bool allowed() const { return allowed_; }

 private:
  explicit Urgency(bool allowed) : allowed_(allowed), urgent_(allowed) {}
  void Follow() {
    if (allowed_ && urgent_ != budget_.urgent()) Switch();
  }
  void Switch();

  UrgencyBudget budget_;
  bool allowed_;
  bool urgent_;  // as the kernel was told last
};

}  // namespace sabot::pacer

#endif  // SABOT_AGENT_PACER_URGENCY_H_
