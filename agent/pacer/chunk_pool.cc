// SPDX-License-Identifier: Apache-2.0
#include "agent/pacer/chunk_pool.h"

#include <sys/mman.h>

#include <cerrno>

#include "loader/status.h"

namespace sabot::pacer {
namespace {

constexpr size_t kBytesPerChunk = ChunkPool::kChunkBytes + sizeof(uint32_t);

}  // namespace

absl::StatusOr<ChunkPool> ChunkPool::Create(uint32_t chunks) {
  if (chunks == 0 || chunks > (1u << 28))
    return absl::InvalidArgumentError(absl::StrCat("frame memory of ", chunks, " chunks"));
  size_t bytes = chunks * kBytesPerChunk;
  void* memory =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    return ErrnoStatus(errno, absl::StrCat("reserve ", bytes, " bytes of frame memory"));
  // A huge page per first use would make an idle pacer look 2 MiB bigger; failing is as well.
  madvise(memory, bytes, MADV_NOHUGEPAGE);
  ChunkPool pool;
  pool.memory_ = static_cast<uint8_t*>(memory);
  pool.next_ = reinterpret_cast<uint32_t*>(pool.memory_ + chunks * kChunkBytes);
  pool.chunks_ = chunks;
  return pool;
}

ChunkPool& ChunkPool::operator=(ChunkPool&& other) noexcept {
  std::swap(memory_, other.memory_);
  std::swap(next_, other.next_);
  std::swap(chunks_, other.chunks_);
  std::swap(taken_, other.taken_);
  std::swap(free_, other.free_);
  std::swap(untouched_, other.untouched_);
  return *this;
}

ChunkPool::~ChunkPool() {
  if (memory_) munmap(memory_, chunks_ * kBytesPerChunk);
}

uint32_t ChunkPool::Take() {
  ++taken_;
  if (free_ == kNone) return untouched_++;
  uint32_t chunk = free_;
  free_ = next_[chunk];
  return chunk;
}

void ChunkPool::GiveBack(uint32_t chunk) {
  --taken_;
  next_[chunk] = free_;
  free_ = chunk;
}

void ChunkPool::Trim() {
  madvise(memory_, chunks_ * kBytesPerChunk, MADV_DONTNEED);
  free_ = kNone;
  untouched_ = 0;
}

}  // namespace sabot::pacer
