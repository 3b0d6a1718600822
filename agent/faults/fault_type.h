// SPDX-License-Identifier: Apache-2.0
//
// What a kind of fault is to the agent: a name, effects with their ladders, and five functions. One value of
// this per family, listed in registry.cc.
#ifndef SABOT_AGENT_FAULTS_FAULT_TYPE_H_
#define SABOT_AGENT_FAULTS_FAULT_TYPE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/target.h"
#include "loader/probe.h"
#include "sabot/v1/fault.pb.h"

namespace sabot::agent {

class FaultContext;  // fault_context.h

// One mechanism of a ladder. The table of these feeds the choice, the log, the status, metrics, `sabot
// doctor` and docs/FAULTS.md.
struct Rung {
  std::string_view mechanism;
  std::span<const loader::Feature> needs;
  sabot::v1::Fidelity fidelity;
  std::string_view undone_by;  // what ends it when the agent cannot
  std::string_view caveat;     // empty for exact ones
  int id;                      // for the family's own functions
  // With more faults than this beginning at once, an equally good rung further down is preferred. 0: never.
  size_t crowd = 0;
};

// What can be done to a target, best mechanism first.
struct Effect {
  std::string_view name;
  std::string_view description;
  std::span<const Rung> ladder;
};

// One fault acting on one resolved target. Owner thread only.
class Injection {
 public:
  // Ends it if it was not, as well as can be.
  virtual ~Injection() = default;
  // After End(): the final ones.
  virtual absl::StatusOr<sabot::v1::Counters> Observe() = 0;
  // What the status shall say besides; empty: nothing.
  virtual std::string Note() const { return ""; }
  // It does nothing from here on. Idempotent.
  virtual absl::Status End() = 0;
  // What the status shall say beside the counters; mostly empty.
  virtual std::string Note() { return ""; }
  // After End(): true once all that was put there for it is undone; to be asked again while false.
  virtual absl::StatusOr<bool> Gone() = 0;
};

struct FaultType {
  std::string_view family;
  sabot::v1::Fault::KindCase kind;
  std::span<const Effect> effects;

  // Pure. INVALID_ARGUMENT names the field.
  absl::Status (*validate)(const sabot::v1::Fault& fault);
  // The effect of a valid fault.
  const Effect& (*effect_of)(const sabot::v1::Fault& fault);
  // Why this rung cannot serve this target, though the kernel has it; nullopt if it can. Changes nothing.
  std::optional<std::string> (*unfit)(const Rung& rung, const sabot::v1::Fault& fault,
                                      const ResolvedTarget& target);
  // Applies it by this rung, whole or not at all, to act until `end_ns` (CLOCK_BOOTTIME). UNIMPLEMENTED sends
  // the choice to the next rung; any other error rejects the fault.
  absl::StatusOr<std::unique_ptr<Injection>> (*apply)(FaultContext& context, const Rung& rung,
                                                      const sabot::v1::Fault& fault,
                                                      const ResolvedTarget& target, uint64_t end_ns);
};

// Every family, in the order of the proto's `oneof kind`.
std::span<const FaultType* const> AllFaultTypes();
// Null if no family has this kind.
const FaultType* FindFaultType(sabot::v1::Fault::KindCase kind);

}  // namespace sabot::agent

#endif  // SABOT_AGENT_FAULTS_FAULT_TYPE_H_
