// SPDX-License-Identifier: Apache-2.0
//
// A child process whose output can be followed line by line while it runs.
#ifndef SABOT_TESTS_SUPPORT_SUBPROCESS_H_
#define SABOT_TESTS_SUPPORT_SUBPROCESS_H_

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace sabot::test {

struct Command {
  std::vector<std::string> argv;                // argv[0] is looked up in PATH
  std::map<std::string, std::string> env = {};  // on top of the test's own
  std::string input = {};                       // standard input; at most 64 KiB
  int netns_fd = -1;                            // network namespace to start in
  bool terminal = false;                        // standard output is a terminal (of 120 columns)
};

struct Finished {
  int exit_code = -1;  // 128 + signal when killed by one, as in a shell
  bool timed_out = false;
  std::string out;
  std::string err;
};

// Its own process group; killed (group included) by the destructor, and by the kernel when the thread that
// made it ends. One thread reads the output. Not movable; the methods are for the thread that made it.
class Subprocess {
 public:
  explicit Subprocess(const Command& command);
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;
  ~Subprocess();

  pid_t pid() const;
  // False once it has ended, whether or not it was waited for.
  bool running() const;
  // To that one process, by its id.
  void Signal(int signal);

  // The first line of standard output, at or after `from`, that `wanted` accepts; waits for it. Empty on
  // time-out and when the process has ended without it. `from` is moved behind the line.
  std::optional<std::string> WaitLine(size_t& from, const std::function<bool(const std::string&)>& wanted,
                                      absl::Duration timeout);
  // The lines of standard output until now.
  std::vector<std::string> Lines() const;
  std::string Errors() const;

  // Waits for the end. On time-out it is killed, and `timed_out` is set.
  Finished Wait(absl::Duration timeout);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Runs it to its end. The time-out is scaled by SABOT_TIME_SCALE.
Finished RunCommand(const Command& command, absl::Duration timeout = absl::Seconds(20));
// The same, and ArrangementFailed unless it exits with 0; returns standard output.
std::string RequireCommand(const Command& command);

// The processes that live Subprocess and Resident objects stand for: everything else below the test is a
// stray.
std::set<pid_t> KnownProcesses();
void RememberProcess(pid_t pid);
void ForgetProcess(pid_t pid);

// Makes the test the parent of its orphaned grandchildren, so that a helper that outlives the process that
// started it is found. Call once, in main.
void AdoptOrphans();

}  // namespace sabot::test

#endif  // SABOT_TESTS_SUPPORT_SUBPROCESS_H_
