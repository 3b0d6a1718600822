// SPDX-License-Identifier: Apache-2.0
#include "agent/pacer/frame_store.h"

#include <algorithm>
#include <cerrno>
#include <span>
#include <utility>

#include "agent/pacer/frame_header.h"
#include "loader/status.h"

namespace sabot::pacer {
namespace {

constexpr size_t kChunkBytes = ChunkPool::kChunkBytes;
constexpr uint64_t kMaxBytes = 256ull << 30;

size_t ChunksOf(size_t bytes) { return (bytes + kChunkBytes - 1) / kChunkBytes; }

}  // namespace

absl::StatusOr<FrameStore> FrameStore::Create(uint64_t max_bytes, uint64_t max_hold_ns) {
  uint64_t chunks = max_bytes / kChunkBytes;
  if (chunks < kMaxFrameChunks || max_bytes > kMaxBytes)
    return absl::InvalidArgumentError(absl::StrCat("frame memory of ", max_bytes, " bytes: not between ",
                                                   kMaxFrameChunks * kChunkBytes, " and ", kMaxBytes));
  SABOT_ASSIGN_OR_RETURN(ChunkPool pool, ChunkPool::Create(chunks + kMaxFrameChunks));
  return FrameStore(std::move(pool), max_hold_ns);
}

FrameStore::FrameStore(ChunkPool pool, uint64_t max_hold_ns)
    : pool_(std::move(pool)), queue_(1024), max_hold_ns_(max_hold_ns) {
  for (size_t slot = 0; slot < kMaxFrameChunks; ++slot) Post(slot);
}

void FrameStore::Post(size_t slot) {
  posted_[slot] = pool_.Take();
  read_chunks_[slot] = {pool_.data(posted_[slot]), kChunkBytes};
}

void FrameStore::Unpost() {
  for (uint32_t chunk : posted_) pool_.GiveBack(chunk);
}

FrameStore::ReadResult FrameStore::ReadFrom(int fd, uint64_t now_ns) {
  ssize_t got = readv(fd, read_chunks_.data(), read_chunks_.size());
  if (got < 0) return errno == EAGAIN || errno == EINTR ? ReadResult::kNothing : ReadResult::kGone;
  if (got == 0) return ReadResult::kGone;
  ++stats_.frames_in;
  size_t bytes = got;
  std::span<uint8_t> head(pool_.data(posted_[0]), std::min(bytes, kChunkBytes));
  Unwrapped unwrapped = UnwrapFrame(head, bytes);
  if (unwrapped.fault != HeaderFault::kNone || bytes > kMaxFrameBytes) {
    ++stats_.bad;
  } else if (pool_.available() < ChunksOf(bytes)) {
    ++stats_.dropped_full;
  } else {
    Keep(bytes, unwrapped.release_ns, now_ns);
  }
  return ReadResult::kFrame;
}

void FrameStore::Keep(size_t bytes, uint64_t release_ns, uint64_t now_ns) {
  if (release_ns > now_ns && release_ns - now_ns > max_hold_ns_) {
    release_ns = now_ns + max_hold_ns_;
    ++stats_.shortened;
  }
  queue_.Push({release_ns, posted_[0], static_cast<uint32_t>(bytes)});
  size_t count = ChunksOf(bytes);
  for (size_t slot = 0; slot < count; ++slot) {
    pool_.next(posted_[slot]) = slot + 1 < count ? posted_[slot + 1] : ChunkPool::kNone;
    Post(slot);
  }
  ++stats_.held;
  stats_.held_bytes += count * kChunkBytes;
  trimmed_ = false;
}

size_t FrameStore::Gather(const Frame& frame, Chunks& chunks) {
  size_t left = frame.bytes;
  size_t count = 0;
  for (uint32_t chunk = frame.chunk; left > 0; chunk = pool_.next(chunk)) {
    size_t part = std::min(left, kChunkBytes);
    chunks[count++] = {pool_.data(chunk), part};
    left -= part;
  }
  chunks[0] = {pool_.data(frame.chunk) + kHeaderBytes, chunks[0].iov_len - kHeaderBytes};
  return count;
}

void FrameStore::GiveBack(const Frame& frame) {
  size_t count = ChunksOf(frame.bytes);
  uint32_t chunk = frame.chunk;
  for (size_t i = 0; i < count; ++i) {
    uint32_t next = pool_.next(chunk);
    pool_.GiveBack(chunk);
    chunk = next;
  }
  --stats_.held;
  stats_.held_bytes -= count * kChunkBytes;
}

void FrameStore::WriteTo(int fd, uint64_t now_ns) {
  Frame frame = queue_.Front();
  queue_.Pop();
  uint64_t late = now_ns > frame.release_ns ? now_ns - frame.release_ns : 0;
  stats_.late_ns_sum += late;
  stats_.late_ns_max = std::max(stats_.late_ns_max, late);
  Chunks chunks;
  size_t count = Gather(frame, chunks);
  ssize_t put = writev(fd, chunks.data(), count);
  ++(put < 0 ? stats_.refused : stats_.released);
  GiveBack(frame);
}

void FrameStore::Trim() {
  if (trimmed_ || !queue_.empty()) return;
  Unpost();
  pool_.Trim();
  for (size_t slot = 0; slot < kMaxFrameChunks; ++slot) Post(slot);
  trimmed_ = true;
}

Stats FrameStore::TakeStats() {
  Stats taken = stats_;
  stats_.late_ns_max = 0;
  return taken;
}

}  // namespace sabot::pacer
