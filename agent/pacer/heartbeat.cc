// SPDX-License-Identifier: Apache-2.0
#include "agent/pacer/heartbeat.h"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "agent/pacer/clock.h"
#include "loader/status.h"

namespace sabot::pacer {
namespace {

size_t PageBytes() { return sysconf(_SC_PAGESIZE); }

}  // namespace

absl::StatusOr<Heartbeat> Heartbeat::Create(int fd, uint32_t index) {
  size_t at = size_t{index} * sizeof(uint64_t);
  size_t within = at % PageBytes();
  void* page = mmap(nullptr, PageBytes(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, at - within);
  if (page == MAP_FAILED)
    return ErrnoStatus(errno, absl::StrCat("map entry ", index, " of the heartbeat map, descriptor ", fd));
  return Heartbeat(page, reinterpret_cast<uint64_t*>(static_cast<char*>(page) + within));
}

Heartbeat::~Heartbeat() {
  if (!page_) return;
  Clear();
  munmap(page_, PageBytes());
}

void Heartbeat::Beat() {
  std::atomic_ref<uint64_t>(*beat_).store(NowNs(CLOCK_BOOTTIME), std::memory_order_relaxed);
}

void Heartbeat::Clear() { std::atomic_ref<uint64_t>(*beat_).store(0, std::memory_order_relaxed); }

}  // namespace sabot::pacer
