// SPDX-License-Identifier: Apache-2.0
//
// Clock faults: what the processes of a target read from their clocks is not the time.
//
// The functions of the vDSO (clock_gettime, gettimeofday, time) are led through a shim in each process's own
// copy of it, which adds an offset at nearly the speed of the original; new processes and programs get it as
// they come. The shim carries its own end, which the agent moves on by leases: when the agent stops or dies,
// clocks are true again within three seconds, at the fault's deadline if that is earlier. What stays in the
// processes' memory then does nothing; it is journalled, and taken out by the next start or `sabot undo`.
//
// What if a process asks the kernel itself (system calls, no vDSO): it reads the true clock. What if it is a
// 32-bit one, or a debugger holds it: it is not covered, and the status says so. What if the wall clock is
// set while the fault acts: the shim's end moves with it until the agent's next look, a second later.
#include "agent/faults/clock.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/clock/engine.h"
#include "agent/faults/fault_context.h"
#include "loader/clock.h"
#include "loader/status.h"

namespace sabot::agent {
namespace {

using loader::Feature;
using sabot::v1::ClockFault;
using sabot::v1::Fault;
using sabot::v1::FIDELITY_DEGRADED;

constexpr int32_t kStandstill = 1'000'000'000;
constexpr uint32_t kProcessorTime = 1 << CLOCK_PROCESS_CPUTIME_ID | 1 << CLOCK_THREAD_CPUTIME_ID;

// --- What is asked for ---

uint32_t ClocksOf(const ClockFault& clock) {
  uint32_t clocks = 0;
  for (const uint32_t id : clock.clock_ids()) clocks |= id < kClockCount ? 1U << id : 0;
  return clocks;
}

absl::Status Validate(const Fault& fault) {
  const ClockFault& clock = fault.clock();
  if (clock.clock_ids().empty()) return absl::InvalidArgumentError("clock.clock_ids: must name a clock");
  uint32_t seen = 0;
  for (const uint32_t id : clock.clock_ids()) {
    if (id >= kClockCount) {
      return absl::InvalidArgumentError(absl::StrCat("clock.clock_ids: ", id, " is no clock: 0 to 9"));
    }
    if ((seen >> id & 1) != 0) {
      return absl::InvalidArgumentError(absl::StrCat("clock.clock_ids: ", id, " is there twice"));
    }
    seen |= 1U << id;
  }
  if (!clock.has_skew()) {
    return absl::InvalidArgumentError("clock.effect: none is set, or one that this version does not know");
  }
  const int32_t rate = clock.skew().rate_ppb();
  if (rate < -kStandstill || rate > kStandstill) {
    return absl::InvalidArgumentError("clock.skew.rate_ppb: must be -1000000000 to 1000000000");
  }
  if (rate != 0 && (seen & kProcessorTime) != 0) {
    return absl::InvalidArgumentError("clock.skew.rate_ppb: must be 0 for clocks of processor time (2, 3)");
  }
  return absl::OkStatus();
}

// --- By which mechanisms ---

constexpr Feature kVdsoNeeds[] = {Feature::kVdsoPatch, Feature::kTpBtf};
constexpr Feature kVdsoPollNeeds[] = {Feature::kVdsoPatch};

constexpr std::string_view kByEnd = "the shim itself, at its end; the journal takes it out";

constexpr int kFollow = 1, kLook = 0;

constexpr Rung kSkewLadder[] = {
    {"vdso", kVdsoNeeds, FIDELITY_DEGRADED, kByEnd,
     "a new program reads the true clock for a moment (about a millisecond) until the shim is in it; direct "
     "system calls are not covered",
     kFollow},
    {"vdso-poll", kVdsoPollNeeds, FIDELITY_DEGRADED, kByEnd,
     "a new program reads the true clock for up to 30 ms; direct system calls are not covered", kLook},
};

constexpr Effect kEffects[] = {
    {"skew", "clocks are ahead or behind, run faster or slower, or stand still", kSkewLadder},
};

const Effect& EffectOf(const Fault&) { return kEffects[0]; }

// --- On this target ---

std::optional<std::string> Unfit(const Rung&, const Fault&, const ResolvedTarget& target) {
  if (target.cgroup_is_target || target.main) return std::nullopt;
  return absl::StrCat(target.description,
                      " has no processes that belong to it alone; give a process, a "
                      "cgroup, a unit or a container as the target");
}

// --- Applied ---

class ClockInjection : public Injection {
 public:
  ClockInjection(ClockEngine& engine, int rule) : engine_(engine), rule_(rule) {}
  ~ClockInjection() override {
    End().IgnoreError();
    engine_.Forget(rule_);
  }

  absl::StatusOr<sabot::v1::Counters> Observe() override { return engine_.Observe(rule_); }
  absl::Status End() override { return engine_.End(rule_); }
  absl::StatusOr<bool> Gone() override { return engine_.Gone(rule_); }
  std::string Note() override { return engine_.Uncovered(rule_); }

 private:
  ClockEngine& engine_;
  int rule_;
};

absl::StatusOr<std::unique_ptr<Injection>> Apply(FaultContext& context, const Rung& rung, const Fault& fault,
                                                 const ResolvedTarget& target, uint64_t end_ns) {
  SABOT_ASSIGN_OR_RETURN(ClockEngine * engine, context.Clock(rung.id == kFollow));
  const Skew skew = {.clocks = ClocksOf(fault.clock()),
                     .offset_ns = fault.clock().skew().offset_ns(),
                     .rate_ppb = fault.clock().skew().rate_ppb(),
                     .begin_ns = loader::BootTimeNs(),
                     .end_ns = end_ns};
  SABOT_ASSIGN_OR_RETURN(const int rule, engine->Add(target, fault.id(), skew));
  return std::make_unique<ClockInjection>(*engine, rule);
}

}  // namespace

const FaultType kClockFault = {
    .family = "clock",
    .kind = Fault::kClock,
    .effects = kEffects,
    .validate = Validate,
    .effect_of = EffectOf,
    .unfit = Unfit,
    .apply = Apply,
};

}  // namespace sabot::agent
