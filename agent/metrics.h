// SPDX-License-Identifier: Apache-2.0
//
// Prometheus metrics of one process that holds faults, read when they are scraped:
//   sabot_fault_seen_total, sabot_fault_matched_total, sabot_fault_affected_total   packets, per fault
//   sabot_faults                                                                    faults per kind and phase
// Labels of the first three: experiment ("namespace/name"), target, kind ("network/loss"), mechanism, id.
#ifndef SABOT_AGENT_METRICS_H_
#define SABOT_AGENT_METRICS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "agent/reconciler.h"

namespace sabot::agent {

// Serves /metrics over HTTP on two threads of its own until destroyed. The reconciler outlives it.
class MetricsServer {
 public:
  // `address` is HOST:PORT. UNAVAILABLE if it cannot be listened on.
  static absl::StatusOr<std::unique_ptr<MetricsServer>> Start(const std::string& address,
                                                              Reconciler& reconciler);
  ~MetricsServer();

 private:
  struct Parts;
  explicit MetricsServer(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace sabot::agent

#endif  // SABOT_AGENT_METRICS_H_
