// SPDX-License-Identifier: Apache-2.0
#ifndef SABOT_LOADER_STOPPED_PROCESS_H_
#define SABOT_LOADER_STOPPED_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace sabot::loader {

// A process all of whose threads stand still (ptrace).
class StoppedProcess {
 public:
  struct Thread {
    pid_t id = 0;
    uint64_t pc = 0, sp = 0;
    int signal = 0;  // was on its way when the thread stopped; delivered when it goes on
  };

  // Stops every thread, calls `work` with them, and lets them go on; returns what `work` does. Everything
  // happens on a thread that is made for it, so that the kernel lets go of all that could not be let go of
  // here, also if this process dies. Safe to call from several threads for different processes.
  //
  // A system call that a thread waits in is begun again, but for the few that the kernel lets fail with EINTR
  // whenever a process was stopped and continued (epoll_wait, io_getevents, semop and the like; signal(7)).
  //
  //  NOT_FOUND            it has ended, or ends just now
  //  FAILED_PRECONDITION  another process traces it; the message says which
  //  PERMISSION_DENIED    we may not
  //  UNAVAILABLE          not all threads stopped within `patience`: try again. It is long for threads that
  //                       sleep uninterruptibly (as in vfork) or wait for a processor
  static absl::Status Run(pid_t pid, absl::Duration patience,
                          const std::function<absl::Status(StoppedProcess&)>& work);

  StoppedProcess(const StoppedProcess&) = delete;
  StoppedProcess& operator=(const StoppedProcess&) = delete;

  // Lets one thread execute one instruction; its pc and sp are read anew.
  absl::Status Step(Thread& thread);
  std::vector<Thread>& threads() { return threads_; }

 private:
  StoppedProcess(pid_t pid, absl::Duration patience) : pid_(pid), patience_(patience) {}
  ~StoppedProcess();

  absl::Status Stop();
  absl::StatusOr<bool> SeizeNew();
  absl::Status AwaitStop(Thread& thread) const;
  absl::Status ReadRegisters(Thread& thread) const;

  pid_t pid_;
  absl::Duration patience_;
  uint64_t give_up_ns_ = 0;  // CLOCK_MONOTONIC
  std::vector<Thread> threads_;
};

}  // namespace sabot::loader

#endif  // SABOT_LOADER_STOPPED_PROCESS_H_
