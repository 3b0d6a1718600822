// SPDX-License-Identifier: Apache-2.0
//
// A process whose clocks can be read from inside, on request and all the time.
#ifndef SABOT_TESTS_SUPPORT_CLOCK_VICTIM_H_
#define SABOT_TESTS_SUPPORT_CLOCK_VICTIM_H_

#include <sys/types.h>
#include <time.h>

#include <cstdint>
#include <string>

namespace sabot::test {

// What the process sees, and what the test's own process sees right before and after: true clocks lie in
// between. Nanoseconds.
struct Reading {
  int64_t before = 0;
  int64_t seen = 0;
  int64_t after = 0;

  // How far `seen` is from what is true, at least; 0 if it may be true.
  int64_t Offset() const { return seen < before ? seen - before : seen > after ? seen - after : 0; }
  // Whether it is true plus `offset`, to `slack`.
  bool Is(int64_t offset, int64_t slack = 0) const {
    return seen >= before + offset - slack && seen <= after + offset + slack;
  }
};

class Victim {
 public:
  // Threads beside the one that answers, each of which reads CLOCK_REALTIME without a pause.
  explicit Victim(int busy_threads = 0);
  Victim(const Victim&) = delete;
  Victim& operator=(const Victim&) = delete;
  ~Victim();

  pid_t pid() const { return pid_; }
  // By the functions of the C library, which are those of the vDSO.
  Reading ClockGettime(clockid_t clock) const;
  Reading Gettimeofday() const;  // to the microsecond
  Reading Time() const;          // to the second; true is that of CLOCK_REALTIME_COARSE
  // The same by the system call itself.
  Reading Syscall(clockid_t clock) const;
  // Forks a child that answers in its place from now on; its id.
  pid_t Fork() const;

  // Starts `sh -c COMMAND` as a child of it, and waits for its end; its exit status.
  int Run(const std::string& shell_command) const;
  // Its copy of the vDSO, byte by byte.
  std::string Vdso() const;

  // What the busy threads saw since the last call: how many readings, and how many that were neither the true
  // time plus `a` nor plus `b` (to 100 ms).
  struct Watch {
    uint64_t readings = 0, odd = 0;
    int64_t longest_gap_ns = 0;
  };
  void WatchFor(int64_t a, int64_t b);
  Watch Watched();

 private:
  struct Shared;
  Reading Ask(int what, clockid_t clock) const;

  Shared* shared_;
  pid_t pid_;
};

}  // namespace sabot::test

#endif  // SABOT_TESTS_SUPPORT_CLOCK_VICTIM_H_
