// SPDX-License-Identifier: Apache-2.0
#ifndef SABOT_AGENT_NETWORK_INDEX_POOL_H_
#define SABOT_AGENT_NETWORK_INDEX_POOL_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace sabot::agent {

class IndexPool;

// An index that goes back to its pool. Move-only; the pool outlives it.
class PooledIndex {
 public:
  PooledIndex(PooledIndex&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)), index_(other.index_) {}
  PooledIndex& operator=(PooledIndex&&) = delete;
  ~PooledIndex();

  uint32_t get() const { return index_; }

 private:
  friend class IndexPool;
  PooledIndex(IndexPool* pool, uint32_t index) : pool_(pool), index_(index) {}

  IndexPool* pool_;
  uint32_t index_;
};

// Hands out the entries of a BPF array. Thread-compatible.
class IndexPool {
 public:
  // `what` is for messages: "lanes".
  IndexPool(std::string what, uint32_t size) : what_(std::move(what)), size_(size) {}

  absl::StatusOr<PooledIndex> Take() {
    if (!free_.empty()) {
      const uint32_t index = free_.back();
      free_.pop_back();
      return PooledIndex(this, index);
    }
    if (next_ < size_) return PooledIndex(this, next_++);
    return absl::ResourceExhaustedError(absl::StrCat("all ", size_, " ", what_, " of this agent are in use"));
  }

 private:
  friend class PooledIndex;

  std::string what_;
  uint32_t size_;
  uint32_t next_ = 0;
  std::vector<uint32_t> free_;
};

inline PooledIndex::~PooledIndex() {
  if (pool_ != nullptr) pool_->free_.push_back(index_);
}

}  // namespace sabot::agent

#endif  // SABOT_AGENT_NETWORK_INDEX_POOL_H_
