// SPDX-License-Identifier: Apache-2.0
//
// The order of held frames: by release time, and by arrival among equal ones.
#ifndef SABOT_AGENT_PACER_FRAME_QUEUE_H_
#define SABOT_AGENT_PACER_FRAME_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sabot::pacer {

struct Frame {
  uint64_t release_ns;  // CLOCK_MONOTONIC
  uint32_t chunk;       // where it begins
  uint32_t bytes;
};

// A binary heap: right for any mix of delays, and cheap for the usual one (a push of the latest frame moves
// nothing). Not thread-safe. Allocates only when it grows beyond its capacity.
class FrameQueue {
 public:
  explicit FrameQueue(size_t capacity) { heap_.reserve(capacity); }

  void Push(const Frame& frame);
  // The next to go; there must be one.
  const Frame& Front() const { return heap_.front().frame; }
  void Pop();
  bool empty() const { return heap_.empty(); }
  size_t size() const { return heap_.size(); }

 private:
  struct Entry {
    Frame frame;
    uint64_t arrival;
  };
  static bool Later(const Entry& a, const Entry& b) {
    if (a.frame.release_ns != b.frame.release_ns) return a.frame.release_ns > b.frame.release_ns;
    return a.arrival > b.arrival;
  }

  std::vector<Entry> heap_;
  uint64_t arrivals_ = 0;
};

}  // namespace sabot::pacer

#endif  // SABOT_AGENT_PACER_FRAME_QUEUE_H_
