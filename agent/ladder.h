// SPDX-License-Identifier: Apache-2.0
//
// The choice of a mechanism. Pure but for the two questions that the caller answers.
#ifndef SABOT_AGENT_LADDER_H_
#define SABOT_AGENT_LADDER_H_

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "agent/faults/fault_type.h"
#include "loader/probe.h"
#include "sabot/v1/fault.pb.h"

namespace sabot::agent {

// `--mechanism FAMILY=RUNG`: forces the rung for every effect of the family that has it.
using ForcedMechanisms = std::map<std::string, std::string>;

// INVALID_ARGUMENT if `text` is not FAMILY=RUNG with a family and a rung that exist.
absl::Status AddForcedMechanism(const std::string& text, ForcedMechanisms& forced);

struct RejectedRung {
  std::string mechanism;
  std::string reason;
};

// Why the kernel does not have what a rung needs; nullopt if it has.
std::optional<std::string> MissingFeature(const Rung& rung, const loader::Features& features);

// What one fault may be done by.
struct LadderRequest {
  const FaultType& type;
  const Effect& effect;
  const sabot::v1::MechanismPolicy& policy;
  const ForcedMechanisms& forced;
  const loader::Features& features;
  // Why the rung cannot serve the target; may be empty: no target is known.
  std::function<std::optional<std::string>(const Rung&)> unfit;
  size_t at_once = 1;  // faults that begin together with this one, itself included
};

// Goes down a ladder, rung by rung. The request outlives it.
class RungChoice {
 public:
  explicit RungChoice(const LadderRequest& request);

  // The next rung that can be taken, or null. `rejected` grows by every one that was passed over, each with
  // its reason.
  const Rung* Next(std::vector<RejectedRung>& rejected);

 private:
  std::optional<std::string> Crowded(const Rung& rung) const;

  const LadderRequest& request_;
  std::vector<const Rung*> order_;
  size_t next_ = 0;
};

// "edt: no (this kernel has no qdisc fq); netem: ...".
std::string Describe(const std::vector<RejectedRung>& rejected);

}  // namespace sabot::agent

#endif  // SABOT_AGENT_LADDER_H_
