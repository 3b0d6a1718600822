// SPDX-License-Identifier: Apache-2.0
//
// Owner of bpf/clock.bpf.c: hears of new processes and programs, as they come.
#ifndef SABOT_LOADER_PROCESS_EVENTS_H_
#define SABOT_LOADER_PROCESS_EVENTS_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bpf/abi/clock.h"
#include "loader/fd.h"

struct clock_bpf;
struct ring_buffer;

namespace sabot::loader {

// Process ids are those of the machine's first pid namespace, in which this process must be: UNIMPLEMENTED
// otherwise. Thread-safe but for Drain(), which belongs to one thread.
class ProcessEvents {
 public:
  static absl::StatusOr<std::unique_ptr<ProcessEvents>> Create();
  ~ProcessEvents();

  // From now on, what this process makes and executes is told, and what its children do, without end.
  absl::Status Track(pid_t pid);
  // No error if it is not tracked.
  absl::Status Untrack(pid_t pid);

  // From now on, programs that are executed in this control group (cgroup v2 id) or below are told.
  absl::Status AddGroup(uint64_t id);
  absl::Status RemoveGroup(uint64_t id);

  // Readable when there are events. Borrowed.
  int fd() const;
  // Hands over what there is, in order. Does not wait.
  absl::Status Drain(const std::function<void(const sabot_process_event&)>& hear);
  // How many events were lost so far; it only grows.
  uint64_t lost() const;

 private:
  struct Close {
    void operator()(clock_bpf* skeleton) const;
    void operator()(ring_buffer* ring) const;
  };
  explicit ProcessEvents(std::unique_ptr<clock_bpf, Close> skeleton) : skeleton_(std::move(skeleton)) {}

  std::unique_ptr<clock_bpf, Close> skeleton_;
  std::unique_ptr<ring_buffer, Close> ring_;
  const std::function<void(const sabot_process_event&)>* hear_ = nullptr;
};

}  // namespace sabot::loader

#endif  // SABOT_LOADER_PROCESS_EVENTS_H_
