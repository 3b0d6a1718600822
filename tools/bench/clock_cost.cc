// SPDX-License-Identifier: Apache-2.0
//
// What reading a clock costs a process whose clocks are skewed, beside what it costs without the shim, and
// beside the system call that a skew without a shim would have to make. The process is the one that measures:
// the shim is put into it and taken out again between rounds, so that all share one machine's moods. Then the
// pause that putting it in means for a process of 64 threads, as the process sees it.
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "agent/clock/patched_process.h"
#include "loader/clock.h"

namespace sabot::agent {
namespace {

constexpr int kRounds = 21;
constexpr int kReads = 300'000;
constexpr int kPauses = 50;
constexpr int kThreads = 64;

timespec now_;
timeval day_;

struct Way {
  const char* name;
  void (*read)();
};

constexpr Way kWays[] = {
    {"clock_gettime(REALTIME), skewed", [] { ::clock_gettime(CLOCK_REALTIME, &now_); }},
    {"gettimeofday, skewed", [] { ::gettimeofday(&day_, nullptr); }},
    {"time, skewed", [] { now_.tv_sec = ::time(nullptr); }},
    {"clock_gettime(REALTIME_COARSE), skewed", [] { ::clock_gettime(CLOCK_REALTIME_COARSE, &now_); }},
    {"clock_gettime(MONOTONIC), not skewed", [] { ::clock_gettime(CLOCK_MONOTONIC, &now_); }},
    {"clock_gettime(BOOTTIME), not skewed", [] { ::clock_gettime(CLOCK_BOOTTIME, &now_); }},
    {"the system call", [] { ::syscall(SYS_clock_gettime, CLOCK_REALTIME, &now_); }},
};
constexpr size_t kWayCount = std::size(kWays);

// Shared with the child.
struct Board {
  std::atomic<int> turn = 0;  // odd: the child measures
  double ns[kWayCount] = {};
  std::atomic<int64_t> gap = 0;
};

uint64_t TrueNow() {
  timespec now{};
  ::syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

[[noreturn]] void Measure(Board& board) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  while (true) {
    while (board.turn % 2 == 0) ::usleep(200);
    for (size_t way = 0; way < kWayCount; ++way) {
      const uint64_t begin = TrueNow();
      for (int i = 0; i < kReads; ++i) kWays[way].read();
      board.ns[way] = static_cast<double>(TrueNow() - begin) / kReads;
    }
    ++board.turn;
  }
}

void Round(Board& board, std::vector<double> (&into)[kWayCount]) {
  ++board.turn;
  while (board.turn % 2 == 1) ::usleep(200);
  for (size_t way = 0; way < kWayCount; ++way) into[way].push_back(board.ns[way]);
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

ShimSetting AnHourAhead() {
  ShimSetting setting;
  setting.mask = 1U << CLOCK_REALTIME | 1U << CLOCK_REALTIME_COARSE;
  setting.table.sums[0].offset_sec = 3600;
  setting.table.sums[0].end_sec = ::time(nullptr) + 3600;
  return setting;
}

// The shim goes in and out around every second round.
bool Patched(pid_t pid, const loader::VdsoImage& image, const Shim& shim, const auto& work) {
  auto process = PatchedProcess::Patch(pid, image, shim, AnHourAhead());
  if (!process.ok()) {
    std::fprintf(stderr, "bench-clock-cost: %s\n", std::string(process.status().message()).c_str());
    return false;
  }
  work();
  for (int i = 0; i < 1000; ++i) {
    const auto done = process->Restore();
    if (done.ok() && *done) return true;
    ::usleep(1000);
  }
  std::fprintf(stderr, "bench-clock-cost: the shim stays in\n");
  return false;
}

int ReadCost(const loader::VdsoImage& image, const Shim& shim, Board& board) {
  const pid_t child = ::fork();
  if (child == 0) Measure(board);
  std::vector<double> native[kWayCount], with[kWayCount];
  bool ok = true;
  for (int i = 0; ok && i < kRounds; ++i) {
    Round(board, native);
    ok = Patched(child, image, shim, [&] { Round(board, with); });
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  if (!ok) return 1;
  std::printf("%-40s %10s %10s %7s\n", "ns per read, median of rounds", "native", "shim", "ratio");
  for (size_t way = 0; way < kWayCount; ++way) {
    const double a = Median(native[way]), b = Median(with[way]);
    std::printf("%-40s %10.2f %10.2f %7.3f\n", kWays[way].name, a, b, b / a);
  }
  return 0;
}

// One thread of the child watches for gaps in its own time; the others sleep.
int Pause(const loader::VdsoImage& image, const Shim& shim, Board& board) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 1; i < kThreads; ++i) {
      std::thread([] {
        while (true) ::pause();
      }).detach();
    }
    for (uint64_t last = TrueNow();;) {
      const uint64_t now = TrueNow();
      board.gap = std::max<int64_t>(board.gap, static_cast<int64_t>(now - last));
      last = now;
    }
  }
  ::usleep(100'000);
  std::vector<double> idle, pauses;
  bool ok = true;
  for (int i = 0; ok && i < kPauses; ++i) {
    board.gap = 0;
    ::usleep(5000);
    idle.push_back(static_cast<double>(board.gap.exchange(0)) / 1000);
    ok = Patched(child, image, shim, [&] {
      ::usleep(1000);
      pauses.push_back(static_cast<double>(board.gap.exchange(0)) / 1000);
    });
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  if (!ok) return 1;
  std::sort(pauses.begin(), pauses.end());
  std::printf(
      "\npause of a process of %d threads while the shim is put in, us: p50 %.0f, p99 %.0f, max %.0f "
      "(longest gap without it, p50: %.0f)\n",
      kThreads, pauses[pauses.size() / 2], pauses[pauses.size() * 99 / 100], pauses.back(), Median(idle));
  return 0;
}

int Main() {
  const auto image = loader::OwnVdso();
  const auto shim = image.ok() ? BuildShim(*image, 1) : image.status();
  if (!shim.ok()) {
    std::fprintf(stderr, "bench-clock-cost: %s\n", std::string(shim.status().message()).c_str());
    return 1;
  }
  void* page = ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return 1;
  Board& board = *new (page) Board;
  const int read = ReadCost(*image, *shim, board);
  return read != 0 ? read : Pause(*image, *shim, board);
}

}  // namespace
}  // namespace sabot::agent

int main() { return sabot::agent::Main(); }
