// SPDX-License-Identifier: Apache-2.0
//
// The pacer's sign of life: one u64 in an array map that the kernel side reads before it hands a frame over.
#ifndef SABOT_AGENT_PACER_HEARTBEAT_H_
#define SABOT_AGENT_PACER_HEARTBEAT_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"

namespace sabot::pacer {

// Not thread-safe.
class Heartbeat {
 public:
  // Maps entry `index` of what `fd` refers to: an array map of u64 with BPF_F_MMAPABLE (or any file that can
  // be mapped). The descriptor may be closed afterwards.
  static absl::StatusOr<Heartbeat> Create(int fd, uint32_t index);

  Heartbeat(Heartbeat&& other) noexcept
      : page_(std::exchange(other.page_, nullptr)), beat_(std::exchange(other.beat_, nullptr)) {}
  Heartbeat& operator=(Heartbeat&&) = delete;
  // Clear().
  ~Heartbeat();

  // Alive now: CLOCK_BOOTTIME.
  void Beat();
  // Not alive; at once, rather than when the last beat has become too old.
  void Clear();

 private:
  Heartbeat(void* page, uint64_t* beat) : page_(page), beat_(beat) {}

  void* page_;
  uint64_t* beat_;
};

}  // namespace sabot::pacer

#endif  // SABOT_AGENT_PACER_HEARTBEAT_H_
