// SPDX-License-Identifier: Apache-2.0
//
// Frames as they come out of the tap, for tests.
#ifndef SABOT_TESTS_UNIT_PACER_FRAME_BUILDER_H_
#define SABOT_TESTS_UNIT_PACER_FRAME_BUILDER_H_

#include <cstdint>
#include <cstring>
#include <vector>

#include "agent/pacer/frame_header.h"

namespace sabot::pacer {

using Bytes = std::vector<uint8_t>;

// An Ethernet frame of `bytes` (14 at least) of IPv4's type, whose bytes follow from `seed`.
inline Bytes MakeFrame(size_t bytes, uint8_t seed = 1) {
  Bytes frame(bytes);
  for (size_t i = 0; i < bytes; ++i) frame[i] = static_cast<uint8_t>(seed + i * 7);
  frame[12] = 0x08;
  frame[13] = 0x00;
  return frame;
}

template <typename T>
void Append(Bytes& bytes, const T& part) {
  const auto* begin = reinterpret_cast<const uint8_t*>(&part);
  bytes.insert(bytes.end(), begin, begin + sizeof(part));
}

inline Bytes Join(const VirtioHeader& virtio, const Bytes& frame) {
  Bytes bytes;
  Append(bytes, virtio);
  bytes.insert(bytes.end(), frame.begin(), frame.end());
  return bytes;
}

// What the tap gives for a frame that our program handed over. Offsets in `virtio` are to count our header.
inline Bytes HandOver(const Bytes& frame, uint64_t release_ns, const VirtioHeader& virtio = {}) {
  sabot_pacer_header header = {.release_ns = release_ns, .magic = SABOT_PACER_MAGIC, .reserved = 0};
  Bytes bytes;
  Append(bytes, virtio);
  Append(bytes, header);
  bytes.insert(bytes.end(), frame.begin(), frame.end());
  return bytes;
}

}  // namespace sabot::pacer

#endif  // SABOT_TESTS_UNIT_PACER_FRAME_BUILDER_H_
