// SPDX-License-Identifier: Apache-2.0
//
// A `sabot run ... -o json` under way, and what it says about its faults.
#ifndef SABOT_TESTS_SUPPORT_SABOT_RUN_H_
#define SABOT_TESTS_SUPPORT_SABOT_RUN_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "nlohmann/json.hpp"
#include "tests/support/sabot_cli.h"
#include "tests/support/subprocess.h"

namespace sabot::test {

// One fault as the product reports it.
struct FaultReport {
  std::string id, experiment, kind, target, mechanism, phase, message;
  uint64_t seen = 0, matched = 0, affected = 0;
  uint64_t expires_in_ms = 0;  // time left; 0 when it is over or has no deadline

  static FaultReport Parse(const nlohmann::json& json);
  std::string Describe() const;
};

// What the run left behind when it ended.
struct RunEnd {
  int exit_code = -1;
  bool timed_out = false;
  std::vector<FaultReport> faults;     // of the "ended" event
  bool has_ended_event = false;        // and it was the last line
  std::vector<std::string> malformed;  // lines that are not JSON objects with an "event"
  std::string err;                     // standard error

  uint64_t Matched() const;
  uint64_t Affected() const;
  uint64_t Seen() const;
  std::string Describe() const;
};

class SabotRun {
 public:
  // `sabot run ARGS... -o json`.
  SabotRun(const SabotCli& cli, std::vector<std::string> args);

  // Waits for `count` "injected" events; ArrangementFailed, with all that the run said, when they do not
  // come.
  std::vector<FaultReport> WaitInjected(int count = 1, absl::Duration timeout = absl::Seconds(10));
  // The faults of the next "counters" or "ended" event that `wanted` accepts one of; nullopt on time-out.
  std::optional<std::vector<FaultReport>> WaitReport(const std::function<bool(const FaultReport&)>& wanted,
                                                     absl::Duration timeout);
  void Signal(int signal) { process_.Signal(signal); }
  bool running() const { return process_.running(); }
  pid_t pid() const { return process_.pid(); }
  // Waits for its end; killed on time-out.
  RunEnd End(absl::Duration timeout = absl::Seconds(10));
  // SIGINT, then End().
  RunEnd Interrupt();

 private:
  Subprocess process_;
  size_t injected_seen_ = 0, reports_seen_ = 0;
};

}  // namespace sabot::test

#endif  // SABOT_TESTS_SUPPORT_SABOT_RUN_H_
