// SPDX-License-Identifier: Apache-2.0
#include "agent/pacer/frame_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace sabot::pacer {
namespace {

TEST(FrameQueue, GoesByReleaseTime) {
  FrameQueue queue(4);
  for (uint64_t release : {30, 10, 20}) queue.Push({release, 0, 0});
  std::vector<uint64_t> order;
  for (; !queue.empty(); queue.Pop()) order.push_back(queue.Front().release_ns);
  EXPECT_EQ(order, (std::vector<uint64_t>{10, 20, 30}));
}

TEST(FrameQueue, KeepsArrivalOrderAmongEquals) {
  FrameQueue queue(4);
  for (uint32_t number = 0; number < 1000; ++number) queue.Push({5, number, 0});
  for (uint32_t number = 0; number < 1000; ++number, queue.Pop()) ASSERT_EQ(queue.Front().chunk, number);
}

// Against a plain stable sort, with pushes and pops mixed at random.
TEST(FrameQueue, AgreesWithAStableSort) {
  std::mt19937 random(3);
  auto sooner = [](const Frame& a, const Frame& b) { return a.release_ns < b.release_ns; };
  for (int round = 0; round < 50; ++round) {
    FrameQueue queue(4);
    std::vector<Frame> model;
    for (uint32_t step = 0; step < 1000; ++step) {
      if (random() % 5 < 3) {
        Frame frame = {random() % 20, step, 0};
        queue.Push(frame);
        model.insert(std::upper_bound(model.begin(), model.end(), frame, sooner), frame);
      } else if (!model.empty()) {
        ASSERT_EQ(queue.Front().chunk, model.front().chunk);
        queue.Pop();
        model.erase(model.begin());
      }
      ASSERT_EQ(queue.size(), model.size());
    }
  }
}

}  // namespace
}  // namespace sabot::pacer
