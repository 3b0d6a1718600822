// SPDX-License-Identifier: Apache-2.0
//
// One of several processes leads: it holds a Lease (coordination.k8s.io/v1) and renews it.
#ifndef SABOT_CONTROLLER_KUBE_LEASE_H_
#define SABOT_CONTROLLER_KUBE_LEASE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "controller/kube/client.h"

namespace sabot::kube {

struct LeaseOptions {
  std::string ns;
  std::string name;
  std::string identity;  // of this process; differs from that of all others
  absl::Duration duration =
      absl::Seconds(15);  // how long it is held without being renewed; at least a second
};

// Not thread-safe. Clocks of the processes need not agree: what counts is how long a lease of another was
// seen not to change. Whoever leads must stop when held_until() has passed, and call TryHold() several times
// within a duration.
class Lease {
 public:
  Lease(Client& client, LeaseOptions options) : client_(client), options_(std::move(options)) {}

  // Takes, renews or leaves the lease alone; whether it is ours now. An error: not known; held_until() holds.
  absl::StatusOr<bool> TryHold();
  // Gives it up, so that another need not wait. OK when it was not ours.
  absl::Status Release();

  // Until when it is certainly ours, on this process's clock.
  absl::Time held_until() const { return held_until_; }

 private:
  absl::StatusOr<bool> Take(nlohmann::json lease, bool exists, absl::Time now);

  Client& client_;
  const LeaseOptions options_;
  absl::Time held_until_ = absl::InfinitePast();
  std::string seen_version_;
  absl::Time seen_since_ = absl::InfinitePast();
};

}  // namespace sabot::kube

#endif  // SABOT_CONTROLLER_KUBE_LEASE_H_
