// SPDX-License-Identifier: Apache-2.0
#ifndef SABOT_AGENT_CRI_CONNECTION_H_
#define SABOT_AGENT_CRI_CONNECTION_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/cri.h"

namespace sabot::agent {

// A runtime that is connected to when it is first asked, and anew after it did not answer (2 s after an
// attempt that failed; until then its error is repeated). Thread-safe.
class CriConnection {
 public:
  // The first of `sockets` that answers is taken; empty: the usual ones.
  explicit CriConnection(std::vector<std::string> sockets);

  // As CriClient's, but whatever may pass by itself is UNAVAILABLE.
  absl::StatusOr<ContainerInfo> Status(std::string_view id);
  absl::StatusOr<ContainerInfo> Successor(const ContainerInfo& ended);

 private:
  absl::StatusOr<std::shared_ptr<CriClient>> Client();
  // Lets go of a client that did not answer, and puts errors that may pass into one class.
  absl::StatusOr<ContainerInfo> Judge(absl::StatusOr<ContainerInfo> answer,
                                      const std::shared_ptr<CriClient>& from);

  const std::vector<std::string> sockets_;
  std::mutex mutex_;
  // Guarded by mutex_:
  std::shared_ptr<CriClient> client_;
  absl::Status failure_;  // of the last attempt
  uint64_t connect_after_ns_ = 0;
};

}  // namespace sabot::agent

#endif  // SABOT_AGENT_CRI_CONNECTION_H_
