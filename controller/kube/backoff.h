// SPDX-License-Identifier: Apache-2.0
//
// How long to wait before the next try. Not thread-safe.
#ifndef SABOT_CONTROLLER_KUBE_BACKOFF_H_
#define SABOT_CONTROLLER_KUBE_BACKOFF_H_

#include <algorithm>

#include "absl/random/random.h"
#include "absl/time/time.h"

namespace sabot::kube {

// Doubles from `first` to `most`; each wait is drawn from the upper half, so that many clients do not come at
// once.
class Backoff {
 public:
  Backoff(absl::Duration first, absl::Duration most) : first_(first), most_(most), next_(first) {}

  absl::Duration Next() {
    const absl::Duration wait = next_ * absl::Uniform(random_, 0.5, 1.0);
    next_ = std::min(next_ * 2, most_);
    return wait;
  }
  void Reset() { next_ = first_; }

 private:
  const absl::Duration first_;
  const absl::Duration most_;
  absl::Duration next_;
  absl::BitGen random_;
};

}  // namespace sabot::kube

#endif  // SABOT_CONTROLLER_KUBE_BACKOFF_H_
