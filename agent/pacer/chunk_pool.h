// SPDX-License-Identifier: Apache-2.0
//
// The memory of held frames: one reserved stretch of address space, cut in chunks of equal size, of which
// frames take as many as they need. The kernel gives pages as chunks are first used; nothing is allocated or
// freed after that.
#ifndef SABOT_AGENT_PACER_CHUNK_POOL_H_
#define SABOT_AGENT_PACER_CHUNK_POOL_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"

namespace sabot::pacer {

// Not thread-safe. Chunks are named by their index.
class ChunkPool {
 public:
  // A frame of the usual size fits into one. (Half as much held twice as many small frames, but cost a sixth
  // more processor time per byte of large ones.)
  static constexpr size_t kChunkBytes = 4096;
  static constexpr uint32_t kNone = UINT32_MAX;

  // Reserves `chunks` (1 to 2^28) chunks.
  static absl::StatusOr<ChunkPool> Create(uint32_t chunks);

  ChunkPool(ChunkPool&& other) noexcept { *this = std::move(other); }
  ChunkPool& operator=(ChunkPool&& other) noexcept;
  ~ChunkPool();

  uint32_t available() const { return chunks_ - taken_; }
  uint32_t taken() const { return taken_; }
  // The one given back last, if any. Must be available.
  uint32_t Take();
  void GiveBack(uint32_t chunk);

  uint8_t* data(uint32_t chunk) { return memory_ + size_t{chunk} * kChunkBytes; }
  // A word per chunk, for the taker to link chunks with.
  uint32_t& next(uint32_t chunk) { return next_[chunk]; }

  // Gives the pages of all chunks back to the kernel. Only when none is taken.
  void Trim();

 private:
  ChunkPool() = default;

  uint8_t* memory_ = nullptr;
  uint32_t* next_ = nullptr;
  uint32_t chunks_ = 0;
  uint32_t taken_ = 0;
  uint32_t free_ = kNone;   // given back, linked by next_
  uint32_t untouched_ = 0;  // this one and all above were never taken
};

}  // namespace sabot::pacer

#endif  // SABOT_AGENT_PACER_CHUNK_POOL_H_
