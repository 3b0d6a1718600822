// SPDX-License-Identifier: Apache-2.0
#include "tests/support/clock_victim.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace sabot::test {
namespace {

enum What { kNothing, kClock, kTimeOfDay, kTime, kSyscall, kFork, kRun };

constexpr int64_t kSecond = 1'000'000'000;

int64_t Ns(const timespec& time) { return time.tv_sec * kSecond + time.tv_nsec; }

int64_t Look(int what, clockid_t clock) {
  timespec now{};
  timeval day{};
  switch (what) {
    case kClock:
      ::clock_gettime(clock, &now);
      return Ns(now);
    case kTimeOfDay:
      ::gettimeofday(&day, nullptr);
      return day.tv_sec * kSecond + day.tv_usec * 1000;
    case kTime:
      return ::time(nullptr) * kSecond;
    default:
      ::syscall(SYS_clock_gettime, clock, &now);
      return Ns(now);
  }
}

}  // namespace

struct Victim::Shared {
  std::atomic<int> request = kNothing;
  std::atomic<int> clock = 0;
  std::atomic<int64_t> answer = 0;
  char command[4096] = {};
  std::atomic<int64_t> a = 0, b = 0;
  std::atomic<uint64_t> readings = 0, odd = 0;
  std::atomic<int64_t> longest_gap = 0;
};

namespace {

template <typename Shared>
void WatchClock(Shared* shared) {
  // The processor's counter is nobody's clock: it tells what the clocks should say.
  const int64_t true_begin = Look(kSyscall, CLOCK_REALTIME);
  const int64_t steady_begin = Look(kSyscall, CLOCK_MONOTONIC);
  int64_t last = steady_begin;
  while (true) {
    const int64_t seen = Look(kClock, CLOCK_REALTIME);
    const int64_t steady = Look(kSyscall, CLOCK_MONOTONIC);
    const int64_t off = seen - (true_begin + steady - steady_begin);
    const auto near = [off](int64_t wanted) { return std::llabs(off - wanted) < kSecond; };
    if (!near(shared->a) && !near(shared->b)) ++shared->odd;
    if (steady - last > shared->longest_gap) shared->longest_gap = steady - last;
    last = steady;
    ++shared->readings;
  }
}

template <typename Shared>
[[noreturn]] void Serve(Shared* shared) {
  while (true) {
    const int request = shared->request;
    if (request == kNothing) {
      ::sched_yield();
      continue;
    }
    if (request == kFork) {
      const pid_t child = ::fork();
      if (child != 0) {
        ::pause();  // the child answers
      }
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      shared->answer = ::getpid();
    } else if (request == kRun) {
      const pid_t child = ::fork();
      if (child == 0) {
        ::execlp("sh", "sh", "-c", shared->command, nullptr);
        ::_exit(127);
      }
      int status = -1;
      ::waitpid(child, &status, 0);
      shared->answer = status;
    } else {
      shared->answer = Look(request, shared->clock);
    }
    shared->request = kNothing;
  }
}

}  // namespace

Victim::Victim(int busy_threads) {
  void* page = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) throw std::runtime_error("mmap");
  shared_ = new (page) Shared;
  pid_ = ::fork();
  if (pid_ != 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (int i = 0; i < busy_threads; ++i) std::thread([this] { WatchClock(shared_); }).detach();
  Serve(shared_);
}

Victim::~Victim() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  ::munmap(shared_, sizeof(Shared));
}

Reading Victim::Ask(int what, clockid_t clock) const {
  Reading reading;
  shared_->clock = clock;
  const int64_t started = Look(kSyscall, CLOCK_MONOTONIC);
  // What time() reads, too, moves on with the tick only.
  reading.before =
      what == kTime ? Look(kSyscall, CLOCK_REALTIME_COARSE) / kSecond * kSecond : Look(kSyscall, clock);
  shared_->request = what;
  while (shared_->request != kNothing) {
    ::sched_yield();
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      throw std::runtime_error("the process ended with status " + std::to_string(status));
    }
    if (Look(kSyscall, CLOCK_MONOTONIC) - started > 20 * kSecond) throw std::runtime_error("no answer");
  }
  reading.seen = shared_->answer;
  reading.after = Look(kSyscall, clock);
  return reading;
}

Reading Victim::ClockGettime(clockid_t clock) const { return Ask(kClock, clock); }
Reading Victim::Gettimeofday() const { return Ask(kTimeOfDay, CLOCK_REALTIME); }
Reading Victim::Time() const { return Ask(kTime, CLOCK_REALTIME); }
Reading Victim::Syscall(clockid_t clock) const { return Ask(kSyscall, clock); }
pid_t Victim::Fork() const { return static_cast<pid_t>(Ask(kFork, CLOCK_REALTIME).seen); }

int Victim::Run(const std::string& shell_command) const {
  if (shell_command.size() >= sizeof(shared_->command)) throw std::runtime_error("a long command");
  shell_command.copy(shared_->command, sizeof(shared_->command) - 1);
  shared_->command[shell_command.size()] = 0;
  return static_cast<int>(Ask(kRun, CLOCK_REALTIME).seen);
}

std::string Victim::Vdso() const {
  std::ifstream maps("/proc/" + std::to_string(pid_) + "/maps");
  std::ifstream memory("/proc/" + std::to_string(pid_) + "/mem", std::ios::binary);
  for (std::string line; std::getline(maps, line);) {
    if (line.find("[vdso]") == line.npos) continue;
    const size_t begin = std::stoull(line, nullptr, 16);
    std::string bytes(std::stoull(line.substr(line.find('-') + 1), nullptr, 16) - begin, 0);
    memory.seekg(static_cast<std::streamoff>(begin));
    memory.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return bytes;
  }
  throw std::runtime_error("no vDSO");
}

void Victim::WatchFor(int64_t a, int64_t b) {
  shared_->a = a;
  shared_->b = b;
}

Victim::Watch Victim::Watched() {
  return {shared_->readings.exchange(0), shared_->odd.exchange(0), shared_->longest_gap.exchange(0)};
}

}  // namespace sabot::test
