// SPDX-License-Identifier: Apache-2.0
//
// The frames that the pacer holds: reads them from a descriptor that gives one frame per read, takes our
// header out, and writes each back in its turn.
#ifndef SABOT_AGENT_PACER_FRAME_STORE_H_
#define SABOT_AGENT_PACER_FRAME_STORE_H_

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "agent/pacer/chunk_pool.h"
#include "agent/pacer/control.h"
#include "agent/pacer/frame_queue.h"

namespace sabot::pacer {

// Not thread-safe. Times are CLOCK_MONOTONIC.
class FrameStore {
 public:
  // The largest frame with all its headers: 64 KiB of IP packet, Ethernet, VLAN, virtio and our own.
  static constexpr size_t kMaxFrameBytes = 65536 + 64;
  static constexpr size_t kMaxFrameChunks =
      (kMaxFrameBytes + ChunkPool::kChunkBytes - 1) / ChunkPool::kChunkBytes;

  // Will hold at most `max_bytes` (of memory, in chunks; at least one frame's, at most 256 GiB), and no frame
  // longer than `max_hold_ns`.
  static absl::StatusOr<FrameStore> Create(uint64_t max_bytes, uint64_t max_hold_ns);

  enum class ReadResult { kFrame, kNothing, kGone };
  // Reads one frame, if there is one, and keeps or drops it. kGone: the descriptor is dead.
  ReadResult ReadFrom(int fd, uint64_t now_ns);
  // Writes the frame that is next and forgets it, whether or not it was taken. There must be one.
  void WriteTo(int fd, uint64_t now_ns);

  bool empty() const { return queue_.empty(); }
  // UINT64_MAX: nothing is held.
  uint64_t NextRelease() const { return queue_.empty() ? UINT64_MAX : queue_.Front().release_ns; }
  // Gives unused memory back to the kernel, if nothing is held.
  void Trim();

  const Stats& stats() const { return stats_; }
  // stats(), and starts late_ns_max anew.
  Stats TakeStats();

 private:
  using Chunks = std::array<iovec, kMaxFrameChunks>;

  FrameStore(ChunkPool pool, uint64_t max_hold_ns);
  void Post(size_t slot);
  void Unpost();
  void Keep(size_t bytes, uint64_t release_ns, uint64_t now_ns);
  size_t Gather(const Frame& frame, Chunks& chunks);
  void GiveBack(const Frame& frame);

  ChunkPool pool_;
  FrameQueue queue_;
  uint64_t max_hold_ns_;
  // Where the next frame is read to: always kMaxFrameChunks chunks, taken beforehand.
  std::array<uint32_t, kMaxFrameChunks> posted_;
  Chunks read_chunks_;
  bool trimmed_ = true;
  Stats stats_;
};

}  // namespace sabot::pacer

#endif  // SABOT_AGENT_PACER_FRAME_STORE_H_
