// SPDX-License-Identifier: Apache-2.0
#include "loader/stopped_process.h"

#include <dirent.h>
#include <elf.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "loader/clock.h"
#include "loader/status.h"

namespace sabot::loader {
namespace {

// Threads that come while others are being stopped: after so many rounds the process makes them faster than
// they can be seized.
constexpr int kRounds = 100;

absl::Status Ended(pid_t pid) { return absl::NotFoundError(absl::StrCat("process ", pid, " has ended")); }

// "TracerPid:\t4242" in /proc/PID/status; 0 if nobody or unknown.
pid_t TracerOf(pid_t pid, pid_t thread) {
  std::ifstream status(absl::StrCat("/proc/", pid, "/task/", thread, "/status"));
  constexpr std::string_view kKey = "TracerPid:";
  for (std::string line; std::getline(status, line);) {
    if (line.compare(0, kKey.size(), kKey) == 0) return std::atoi(line.c_str() + kKey.size());
  }
  return 0;
}

absl::StatusOr<std::vector<pid_t>> ThreadsOf(pid_t pid) {
  const auto close = [](DIR* directory) { ::closedir(directory); };
  std::unique_ptr<DIR, decltype(close)> directory(::opendir(absl::StrCat("/proc/", pid, "/task").c_str()),
                                                  close);
  if (directory == nullptr) {
    return errno == ENOENT ? Ended(pid) : ErrnoStatus(errno, absl::StrCat("list threads of process ", pid));
  }
  std::vector<pid_t> threads;
  while (const dirent* entry = ::readdir(directory.get())) {
    if (const int id = std::atoi(entry->d_name); id > 0) threads.push_back(id);
  }
  return threads;
}

void ShortSleep(uint64_t waited_ns) {
  if (waited_ns < 200'000) {
    ::sched_yield();
    return;
  }
  const timespec pause = {.tv_sec = 0, .tv_nsec = 50'000};
  ::nanosleep(&pause, nullptr);
}

}  // namespace

absl::Status StoppedProcess::Run(pid_t pid, absl::Duration patience,
                                 const std::function<absl::Status(StoppedProcess&)>& work) {
  absl::Status result;
  std::thread([&] {
    StoppedProcess process(pid, patience);
    result = process.Stop();
    if (result.ok()) result = work(process);
  }).join();
  return result;
}

StoppedProcess::~StoppedProcess() {
  for (const Thread& thread : threads_) {
    // Fails for one that did not stop: the kernel lets go of it when this thread ends.
    ::ptrace(PTRACE_DETACH, thread.id, nullptr, reinterpret_cast<void*>(static_cast<long>(thread.signal)));
  }
}

// Seizing does not stop anything: it is done for all before the first is interrupted.
absl::StatusOr<bool> StoppedProcess::SeizeNew() {
  SABOT_ASSIGN_OR_RETURN(const std::vector<pid_t> ids, ThreadsOf(pid_));
  bool any = false;
  for (const pid_t id : ids) {
    const auto known = [id](const Thread& thread) { return thread.id == id; };
    if (std::any_of(threads_.begin(), threads_.end(), known)) continue;
    if (::ptrace(PTRACE_SEIZE, id, nullptr, nullptr) != 0) {
      const int error = errno;
      if (error == ESRCH) continue;
      const pid_t tracer = TracerOf(pid_, id);
      // A thread of ours that is about to end, and to let go: one that can be waited for is gone a moment
      // before that.
      if (tracer != 0 && ::access(absl::StrCat("/proc/self/task/", tracer).c_str(), F_OK) == 0) {
        return absl::UnavailableError(absl::StrCat("process ", pid_, " is just being let go of"));
      }
      if (tracer != 0) {
        return absl::FailedPreconditionError(
            absl::StrCat("process ", pid_, " is being traced by process ", tracer, ", a debugger perhaps"));
      }
      // A zombie says EPERM too.
      std::ifstream stat(absl::StrCat("/proc/", pid_, "/task/", id, "/stat"));
      std::string text;
      std::getline(stat, text);
      const size_t paren = text.rfind(") ");
      if (paren == text.npos || text[paren + 2] == 'Z' || text[paren + 2] == 'X') continue;
      return ErrnoStatus(error, absl::StrCat("trace thread ", id, " of process ", pid_));
    }
    threads_.push_back({.id = id});
    any = true;
  }
  return any;
}

absl::Status StoppedProcess::Stop() {
  size_t stopped = 0;
  for (int round = 0; round < kRounds; ++round) {
    SABOT_ASSIGN_OR_RETURN(const bool any, SeizeNew());
    if (!any) return threads_.empty() ? Ended(pid_) : absl::OkStatus();
    if (stopped == 0)
      give_up_ns_ = MonotonicNs() + static_cast<uint64_t>(absl::ToInt64Nanoseconds(patience_));
    for (size_t i = stopped; i < threads_.size(); ++i) ::ptrace(PTRACE_INTERRUPT, threads_[i].id, 0, 0);
    while (stopped < threads_.size()) {
      absl::Status status = AwaitStop(threads_[stopped]);
      if (status.ok()) status = ReadRegisters(threads_[stopped]);
      if (status.ok()) {
        ++stopped;
      } else if (absl::IsNotFound(status)) {
        threads_.erase(threads_.begin() + static_cast<long>(stopped));
      } else {
        return status;
      }
    }
  }
  return absl::UnavailableError(
      absl::StrCat("process ", pid_, " makes threads faster than they are stopped"));
}

absl::Status StoppedProcess::AwaitStop(Thread& thread) const {
  const uint64_t begin = MonotonicNs();
  while (true) {
    int state = 0;
    const pid_t changed = ::waitpid(thread.id, &state, __WALL | WNOHANG);
    if (changed < 0 && errno == EINTR) continue;
    if (changed < 0 || (changed > 0 && !WIFSTOPPED(state))) return Ended(pid_);
    if (changed > 0) {
      // The stop that was asked for, a group stop, or a signal that came in between.
      if (state >> 16 != PTRACE_EVENT_STOP) thread.signal = WSTOPSIG(state);
      return absl::OkStatus();
    }
    const uint64_t now = MonotonicNs();
    if (now > give_up_ns_) {
      return absl::UnavailableError(
          absl::StrCat("thread ", thread.id, " of process ", pid_,
                       " does not stop: it sleeps uninterruptibly, or gets no processor"));
    }
    ShortSleep(now - begin);
  }
}

absl::Status StoppedProcess::ReadRegisters(Thread& thread) const {
#if defined(__x86_64__)
  user_regs_struct registers{};
#else
  user_pt_regs registers{};
#endif
  iovec place = {&registers, sizeof(registers)};
  if (::ptrace(PTRACE_GETREGSET, thread.id, NT_PRSTATUS, &place) != 0) {
    if (errno == ESRCH) return Ended(pid_);
    return ErrnoStatus(errno, absl::StrCat("read registers of thread ", thread.id));
  }
#if defined(__x86_64__)
  thread.pc = registers.rip;
  thread.sp = registers.rsp;
#else
  thread.pc = registers.pc;
  thread.sp = registers.sp;
#endif
  return absl::OkStatus();
}

absl::Status StoppedProcess::Step(Thread& thread) {
  if (thread.signal != 0) {
    return absl::UnavailableError(absl::StrCat("a signal is on its way to thread ", thread.id));
  }
  if (::ptrace(PTRACE_SINGLESTEP, thread.id, nullptr, nullptr) != 0) {
    if (errno == ESRCH) return Ended(pid_);
    return ErrnoStatus(errno, absl::StrCat("step thread ", thread.id));
  }
  SABOT_RETURN_IF_ERROR(AwaitStop(thread));
  // The step itself is reported as SIGTRAP, which nobody sent.
  if (thread.signal == SIGTRAP) thread.signal = 0;
  return ReadRegisters(thread);
}

}  // namespace sabot::loader
