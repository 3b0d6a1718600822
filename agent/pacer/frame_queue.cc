// SPDX-License-Identifier: Apache-2.0
#include "agent/pacer/frame_queue.h"

#include <algorithm>

namespace sabot::pacer {

void FrameQueue::Push(const Frame& frame) {
  heap_.push_back({frame, arrivals_++});
  std::push_heap(heap_.begin(), heap_.end(), Later);
}

void FrameQueue::Pop() {
  std::pop_heap(heap_.begin(), heap_.end(), Later);
  heap_.pop_back();
}

}  // namespace sabot::pacer
