// SPDX-License-Identifier: Apache-2.0
//
// What `sabot run` shows while it runs.
#ifndef SABOT_TOOLS_SABOT_RUN_VIEW_H_
#define SABOT_TOOLS_SABOT_RUN_VIEW_H_

#include <memory>
#include <vector>

#include "sabot/v1/fault.pb.h"
#include "tools/sabot/output.h"

namespace sabot::cli {

// One thread at a time.
class RunView {
 public:
  using Faults = std::vector<sabot::v1::FaultStatus>;
  virtual ~RunView() = default;

  // After the map was applied: everything in it, injected or not.
  virtual void Applied(const Faults& faults) = 0;
  // About once a second.
  virtual void Progress(const Faults& faults) = 0;
  virtual void Ended(const Faults& faults) = 0;

  // JSON: an event object a line. Table: on a terminal one that is updated in place, else lines that suit a
  // log.
  static std::unique_ptr<RunView> Create(Format format);
};

}  // namespace sabot::cli

#endif  // SABOT_TOOLS_SABOT_RUN_VIEW_H_
