// SPDX-License-Identifier: Apache-2.0
#include "agent/pacer/frame_header.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/pacer/frame_builder.h"

namespace sabot::pacer {
namespace {

HeaderFault FaultOf(Bytes bytes) { return UnwrapFrame(bytes, bytes.size()).fault; }

// A TCP segment train over IPv4, as the tap describes it: Ethernet, 20 bytes of IP, 20 of TCP.
VirtioHeader Train() {
  return {.flags = kVirtioNeedsChecksum,
          .gso_type = kGsoTcp4,
          .hdr_len = 16 + 54,
          .gso_size = 1448,
          .csum_start = 16 + 34,
          .csum_offset = 16};
}

TEST(FrameHeader, TakesOurHeaderOut) {
  Bytes frame = MakeFrame(100);
  Bytes bytes = HandOver(frame, 12345);
  Unwrapped unwrapped = UnwrapFrame(bytes, bytes.size());
  EXPECT_EQ(unwrapped.fault, HeaderFault::kNone);
  EXPECT_EQ(unwrapped.release_ns, 12345u);
  EXPECT_EQ(Bytes(bytes.begin() + kHeaderBytes, bytes.end()), Join({}, frame));
}

TEST(FrameHeader, MovesOffsetsBack) {
  Bytes frame = MakeFrame(3000);
  Bytes bytes = HandOver(frame, 1, Train());
  ASSERT_EQ(UnwrapFrame(bytes, bytes.size()).fault, HeaderFault::kNone);
  VirtioHeader expected = Train();
  expected.hdr_len = 54;
  expected.csum_start = 34;
  EXPECT_EQ(Bytes(bytes.begin() + kHeaderBytes, bytes.end()), Join(expected, frame));
}

TEST(FrameHeader, PutsAStrayVlanTagInPlace) {
  Bytes frame = MakeFrame(100);
  Bytes bytes = HandOver(frame, 7);
  const uint8_t tag[] = {0x81, 0x00, 0x00, 0x2a};
  bytes.insert(bytes.begin() + kVirtioBytes + 12, tag, tag + 4);  // as the tap does
  Unwrapped unwrapped = UnwrapFrame(bytes, bytes.size());
  EXPECT_EQ(unwrapped.fault, HeaderFault::kNone);
  EXPECT_EQ(unwrapped.release_ns, 7u);
  Bytes tagged = frame;
  tagged.insert(tagged.begin() + 12, tag, tag + 4);
  EXPECT_EQ(Bytes(bytes.begin() + kHeaderBytes, bytes.end()), Join({}, tagged));
}

TEST(FrameHeader, RefusesShortFrames) {
  for (size_t bytes = 0; bytes < kVirtioBytes + kHeaderBytes + 14; ++bytes) {
    Bytes whole = HandOver(MakeFrame(14), 1);
    whole.resize(bytes);
    EXPECT_EQ(FaultOf(whole), HeaderFault::kShort) << bytes;
  }
  EXPECT_EQ(FaultOf(HandOver(MakeFrame(14), 1)), HeaderFault::kNone);
}

TEST(FrameHeader, RefusesForeignFrames) {
  EXPECT_EQ(FaultOf(Join({}, MakeFrame(100))), HeaderFault::kForeign);
  Bytes reserved_used = HandOver(MakeFrame(100), 1);
  reserved_used[kVirtioBytes + 12] = 1;
  EXPECT_EQ(FaultOf(reserved_used), HeaderFault::kForeign);
}

TEST(FrameHeader, RefusesChecksumsOutsideTheFrame) {
  VirtioHeader virtio = {.flags = kVirtioNeedsChecksum, .csum_start = 16 + 34, .csum_offset = 6};
  EXPECT_EQ(FaultOf(HandOver(MakeFrame(42), 1, virtio)), HeaderFault::kNone);
  EXPECT_EQ(FaultOf(HandOver(MakeFrame(41), 1, virtio)), HeaderFault::kChecksum);
  virtio.csum_start = 15;  // would become negative
  EXPECT_EQ(FaultOf(HandOver(MakeFrame(42), 1, virtio)), HeaderFault::kChecksum);
  virtio.csum_start = 16;  // in the Ethernet header
  EXPECT_EQ(FaultOf(HandOver(MakeFrame(42), 1, virtio)), HeaderFault::kChecksum);
  virtio = {.flags = kVirtioNeedsChecksum, .csum_start = 0xffff, .csum_offset = 0xffff};
  EXPECT_EQ(FaultOf(HandOver(MakeFrame(60000), 1, virtio)), HeaderFault::kChecksum);
}

TEST(FrameHeader, IgnoresOffsetsThatMeanNothing) {
  VirtioHeader virtio = {
      .flags = 0, .gso_type = kGsoNone, .hdr_len = 0xffff, .csum_start = 3, .csum_offset = 0xffff};
  Bytes bytes = HandOver(MakeFrame(42), 1, virtio);
  ASSERT_EQ(UnwrapFrame(bytes, bytes.size()).fault, HeaderFault::kNone);
  VirtioHeader written;
  std::memcpy(&written, &bytes[kHeaderBytes], sizeof(written));
  EXPECT_EQ(written.hdr_len, 0);  // the tap refuses frames shorter than this says
}

TEST(FrameHeader, RefusesImpossibleSegmentation) {
  auto fault = [](auto change) {
    VirtioHeader virtio = Train();
    change(virtio);
    return FaultOf(HandOver(MakeFrame(3000), 1, virtio));
  };
  EXPECT_EQ(fault([](VirtioHeader&) {}), HeaderFault::kNone);
  EXPECT_EQ(fault([](VirtioHeader& v) { v.gso_type |= kGsoEcn; }), HeaderFault::kNone);
  EXPECT_EQ(fault([](VirtioHeader& v) { v.gso_type = 3; }),
            HeaderFault::kSegmentation);  // UFO, never asked for
  EXPECT_EQ(fault([](VirtioHeader& v) { v.gso_type = 0x7f; }), HeaderFault::kSegmentation);
  EXPECT_EQ(fault([](VirtioHeader& v) { v.gso_size = 0; }), HeaderFault::kSegmentation);
  EXPECT_EQ(fault([](VirtioHeader& v) { v.hdr_len = 29; }), HeaderFault::kSegmentation);
  EXPECT_EQ(fault([](VirtioHeader& v) { v.hdr_len = 3017; }), HeaderFault::kSegmentation);
}

// Whatever comes in: no access outside the head (the sanitizers watch), and what passes fits its frame.
TEST(FrameHeader, WithstandsNoise) {
  std::mt19937 random(7);
  int passed = 0;
  for (int round = 0; round < 200000; ++round) {
    Bytes bytes(random() % 120);
    for (uint8_t& byte : bytes) byte = random() % 4 ? 0 : random();
    sabot_pacer_header header = {.release_ns = random(), .magic = SABOT_PACER_MAGIC, .reserved = 0};
    if (bytes.size() >= kVirtioBytes + kHeaderBytes) std::memcpy(&bytes[kVirtioBytes], &header, 12);
    size_t total = bytes.size() + (random() % 2 ? 0 : random() % 60000);
    if (UnwrapFrame(bytes, total).fault != HeaderFault::kNone) continue;
    ++passed;
    VirtioHeader virtio;
    std::memcpy(&virtio, &bytes[kHeaderBytes], sizeof(virtio));
    EXPECT_LE(virtio.hdr_len, total - kVirtioBytes - kHeaderBytes);
    if (virtio.flags & kVirtioNeedsChecksum) {
      EXPECT_LE(virtio.csum_start + virtio.csum_offset + 2u, total - kVirtioBytes - kHeaderBytes);
    }
  }
  EXPECT_GT(passed, 1000);
}

}  // namespace
}  // namespace sabot::pacer
