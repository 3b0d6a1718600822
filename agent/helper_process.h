// SPDX-License-Identifier: Apache-2.0
//
// One user-space helper: a `sabot-helper` child process that does one job for one target, tied to this
// process by a control socket. The helper learns that its owner is gone (or let go of it) by end of file on
// that socket; what it does then is its own affair (the pacer first releases the frames it holds, then
// leaves).
#ifndef SABOT_AGENT_HELPER_PROCESS_H_
#define SABOT_AGENT_HELPER_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "loader/fd.h"

namespace sabot {

// Not thread-safe. Create() may be called from any thread of a process with many; the child runs in the
// namespaces and cgroups of the calling thread. The process must neither ignore SIGCHLD nor wait for "any"
// child.
class HelperProcess {
 public:
  // Where the child finds its descriptors: the control socket first, then those of Options::fds in their
  // order.
  static constexpr int kControlFd = 3;
  static constexpr int kFirstGivenFd = 4;

  struct Options {
    // The program; empty: `sabot-helper` beside /proc/self/exe, or else in ../libexec/sabot/ from there.
    std::string path;
    // argv[1] and on; the first names the job ("pacer").
    std::vector<std::string> args;
    // Borrowed: the child gets duplicates, the caller's stay open and his. The child inherits no others but
    // standard error (input and output are /dev/null).
    std::vector<int> fds;
  };

  // Starts the child: own session, empty environment, no blocked or ignored signals. An error says what was
  // tried (NotFound: no such program); nothing is left behind then.
  static absl::StatusOr<HelperProcess> Create(const Options& options);

  HelperProcess(HelperProcess&&) noexcept = default;
  // Kills what it held before.
  HelperProcess& operator=(HelperProcess&& other) noexcept;
  // Kill().
  ~HelperProcess();

  // False once the child has exited (it is reaped then). True for a stopped child: whether it still works is
  // what a heartbeat tells.
  bool Alive();
  // SIGKILL, then reaps; also ends a stopped child. Idempotent. DeadlineExceeded if the kernel did not end it
  // within two seconds (it hangs in uninterruptible sleep); call again later.
  absl::Status Kill();
  // Closes the control socket: the child is to finish and leave by itself. Idempotent.
  void LetGo();
  // Waits until the child has exited and reaps it. False on timeout.
  bool WaitForExit(absl::Duration timeout);

  pid_t pid() const { return pid_; }
  // Field 22 of /proc/PID/stat (clock ticks since boot): with pid() it names the process uniquely in a
  // journal.
  uint64_t start_time() const { return start_time_; }
  // The owner's end of the control socket (SOCK_SEQPACKET, non-blocking); -1 after LetGo(). Stays owned here.
  int control_fd() const { return control_.get(); }
  // Readable once the child has exited; -1 once it is reaped. Stays owned here.
  int pidfd() const { return pidfd_.get(); }
  // What waitid() told of the reaped child, for messages: "exited with 0", "killed by signal 9"; empty
  // before.
  const std::string& ending() const { return ending_; }

 private:
  HelperProcess(pid_t pid, uint64_t start_time, loader::UniqueFd pidfd, loader::UniqueFd control);
  // Reaps the child if it has exited.
  bool Reap();

  pid_t pid_;
  uint64_t start_time_;
  loader::UniqueFd pidfd_;
  loader::UniqueFd control_;
  std::string ending_;
};

}  // namespace sabot

#endif  // SABOT_AGENT_HELPER_PROCESS_H_
