// SPDX-License-Identifier: Apache-2.0
//
// The bearer token of a Config, kept fresh.
#ifndef SABOT_CONTROLLER_KUBE_CREDENTIALS_H_
#define SABOT_CONTROLLER_KUBE_CREDENTIALS_H_

#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "controller/kube/config.h"

namespace sabot::kube {

// Thread-safe. A token file is read again after a minute, which is well within the ten minutes that
// Kubernetes leaves between a rotation and the end of the old token; a plugin runs again a minute before its
// token ends.
class Credentials {
 public:
  explicit Credentials(const Config& config) : config_(config) {}

  // The token; empty where there is none (client certificates). May run a plugin, which takes its time; at
  // most 60 s.
  absl::StatusOr<std::string> Token();
  // The server did not take it: the next Token() gets a new one.
  void Invalidate();

 private:
  absl::Status Refresh() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Config config_;
  absl::Mutex mutex_;
  std::string token_ ABSL_GUARDED_BY(mutex_);
  absl::Time valid_until_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
};

// The token in what a plugin printed, and until when it is good (infinite when it does not say).
struct ExecToken {
  std::string token;
  absl::Time expires = absl::InfiniteFuture();
};
absl::StatusOr<ExecToken> ParseExecCredential(const std::string& text);

// Runs a program with ExecPlugin's arguments and environment, without a shell; its standard output, at most 1
// MiB.
absl::StatusOr<std::string> RunPlugin(const ExecPlugin& plugin, absl::Duration timeout);

}  // namespace sabot::kube

#endif  // SABOT_CONTROLLER_KUBE_CREDENTIALS_H_
