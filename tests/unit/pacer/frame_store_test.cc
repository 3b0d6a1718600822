// SPDX-License-Identifier: Apache-2.0
#include "agent/pacer/frame_store.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <map>
#include <random>

#include "agent/pacer/clock.h"
#include "loader/fd.h"
#include "tests/unit/pacer/frame_builder.h"

namespace sabot::pacer {
namespace {

constexpr uint64_t kMiB = 1 << 20;

// A socket pair in place of the tap: the kernel's end is `world`.
class FrameStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends), 0);
    world_.Reset(ends[0]);
    tap_.Reset(ends[1]);
  }

  FrameStore Make(uint64_t max_bytes = 16 * kMiB, uint64_t max_hold_ns = kSecond) {
    return *FrameStore::Create(max_bytes, max_hold_ns);
  }
  void Arrive(FrameStore& store, const Bytes& bytes, uint64_t now_ns = 0) {
    ASSERT_EQ(send(world_.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    ASSERT_EQ(store.ReadFrom(tap_.get(), now_ns), FrameStore::ReadResult::kFrame);
  }
  // What the store writes next.
  Bytes Leave(FrameStore& store, uint64_t now_ns = 0) {
    store.WriteTo(tap_.get(), now_ns);
    Bytes bytes(1 << 17);
    ssize_t got = recv(world_.get(), bytes.data(), bytes.size(), 0);
    bytes.resize(got < 0 ? 0 : got);
    return bytes;
  }

  loader::UniqueFd world_, tap_;
};

TEST_F(FrameStoreTest, KeepsFramesOfEverySizeWhole) {
  FrameStore store = Make();
  std::vector<size_t> sizes = {14, 60, 1514, 9014, 65535, 65549};
  for (size_t edge = ChunkPool::kChunkBytes - 30; edge < ChunkPool::kChunkBytes + 10; ++edge) {
    sizes.push_back(edge);
    sizes.push_back(edge + 3 * ChunkPool::kChunkBytes);
  }
  for (int round = 0; round < 3; ++round) {
    for (size_t size : sizes) Arrive(store, HandOver(MakeFrame(size, size), 1));
    EXPECT_EQ(store.stats().held, sizes.size());
    for (size_t size : sizes) ASSERT_EQ(Leave(store), Join({}, MakeFrame(size, size))) << size;
    EXPECT_TRUE(store.empty());
    EXPECT_EQ(store.stats().held_bytes, 0u);
  }
}

TEST_F(FrameStoreTest, KeepsFramesWholeInAnyOrderOfRelease) {
  FrameStore store = Make(4 * kMiB);
  std::mt19937 random(5);
  std::multimap<uint64_t, Bytes> model;
  for (int step = 0; step < 5000; ++step) {
    if (random() % 2 && model.size() < 40) {
      Bytes frame = MakeFrame(14 + random() % 65000, random());
      uint64_t release = random() % 1000;
      Arrive(store, HandOver(frame, release));
      model.emplace(release, Join({}, frame));
    } else if (!model.empty()) {
      ASSERT_EQ(store.NextRelease(), model.begin()->first);
      ASSERT_EQ(Leave(store), model.begin()->second);
      model.erase(model.begin());
    }
  }
  EXPECT_EQ(store.stats().dropped_full, 0u);
}

TEST_F(FrameStoreTest, DropsTheNewestWhenFull) {
  FrameStore store = Make(kMiB);
  uint64_t room = kMiB / ChunkPool::kChunkBytes;
  for (uint64_t number = 0; number < room + 10; ++number)
    Arrive(store, HandOver(MakeFrame(60, number), number));
  EXPECT_EQ(store.stats().held, room);
  EXPECT_EQ(store.stats().held_bytes, kMiB);
  EXPECT_EQ(store.stats().dropped_full, 10u);
  for (uint64_t number = 0; number < room; ++number) ASSERT_EQ(Leave(store), Join({}, MakeFrame(60, number)));
  Arrive(store, HandOver(MakeFrame(60), 1));
  EXPECT_EQ(store.stats().held, 1u);
}

TEST_F(FrameStoreTest, HoldsNothingLongerThanAllowed) {
  FrameStore store = Make(kMiB, 100);
  Arrive(store, HandOver(MakeFrame(60), UINT64_MAX), 1000);
  EXPECT_EQ(store.NextRelease(), 1100u);
  EXPECT_EQ(store.stats().shortened, 1u);
  Arrive(store, HandOver(MakeFrame(60), 3), 1000);  // in the past: at once
  EXPECT_EQ(store.NextRelease(), 3u);
  EXPECT_EQ(store.stats().shortened, 1u);
}

TEST_F(FrameStoreTest, CountsBadFramesAndForgetsThem) {
  FrameStore store = Make();
  Arrive(store, Join({}, MakeFrame(100)));  // a router solicitation, say
  Arrive(store, Bytes(3));
  Arrive(store, HandOver(MakeFrame(FrameStore::kMaxFrameBytes), 1));
  EXPECT_EQ(store.stats().bad, 3u);
  EXPECT_TRUE(store.empty());
}

TEST_F(FrameStoreTest, CountsWhatTheTapRefuses) {
  FrameStore store = Make();
  Arrive(store, HandOver(MakeFrame(100), 1));
  store.WriteTo(-1, 0);
  EXPECT_EQ(store.stats().refused, 1u);
  EXPECT_EQ(store.stats().released, 0u);
  EXPECT_TRUE(store.empty());
}

TEST_F(FrameStoreTest, MeasuresLateness) {
  FrameStore store = Make();
  Arrive(store, HandOver(MakeFrame(100), 50));
  Arrive(store, HandOver(MakeFrame(100), 60));
  Leave(store, 57);
  Leave(store, 63);
  EXPECT_EQ(store.stats().late_ns_sum, 10u);
  EXPECT_EQ(store.TakeStats().late_ns_max, 7u);
  EXPECT_EQ(store.TakeStats().late_ns_max, 0u);
}

TEST_F(FrameStoreTest, WorksOnAfterTrimming) {
  FrameStore store = Make();
  for (int round = 0; round < 3; ++round) {
    Arrive(store, HandOver(MakeFrame(30000, round), 1));
    store.Trim();  // does nothing: a frame is held
    EXPECT_EQ(Leave(store), Join({}, MakeFrame(30000, round)));
    store.Trim();
  }
}

TEST_F(FrameStoreTest, SeesTheEnd) {
  FrameStore store = Make();
  EXPECT_EQ(store.ReadFrom(tap_.get(), 0), FrameStore::ReadResult::kNothing);
  world_.Reset();
  EXPECT_EQ(store.ReadFrom(tap_.get(), 0), FrameStore::ReadResult::kGone);
  EXPECT_EQ(store.ReadFrom(-1, 0), FrameStore::ReadResult::kGone);
}

TEST(FrameStore, RefusesSizesThatCannotBe) {
  EXPECT_FALSE(FrameStore::Create(0, 1).ok());
  EXPECT_FALSE(FrameStore::Create(65536, 1).ok());
  EXPECT_FALSE(FrameStore::Create(uint64_t{1} << 50, 1).ok());
}

}  // namespace
}  // namespace sabot::pacer
