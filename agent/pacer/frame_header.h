// SPDX-License-Identifier: Apache-2.0
//
// What stands before a frame that comes out of the tap: a virtio header (the offloads that are still to be
// done), then our own header (bpf/abi/pacer.h), then the frame. Pure; nothing here trusts a byte of it.
#ifndef SABOT_AGENT_PACER_FRAME_HEADER_H_
#define SABOT_AGENT_PACER_FRAME_HEADER_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "bpf/abi/pacer.h"

namespace sabot::pacer {

// The first, "legacy" virtio_net_hdr, in host byte order: what a tap uses unless told otherwise. (Declared
// here because <linux/virtio_net.h> is not C++: a field of it is named `class`.)
struct VirtioHeader {
  uint8_t flags;
  uint8_t gso_type;
  uint16_t hdr_len;  // a hint: how much is headers
  uint16_t gso_size;
  uint16_t csum_start;   // from the start of the frame
  uint16_t csum_offset;  // from csum_start
};
static_assert(sizeof(VirtioHeader) == 10);

inline constexpr uint8_t kVirtioNeedsChecksum = 1;
inline constexpr uint8_t kGsoNone = 0;
inline constexpr uint8_t kGsoTcp4 = 1;
inline constexpr uint8_t kGsoTcp6 = 4;
inline constexpr uint8_t kGsoUdp = 5;
inline constexpr uint8_t kGsoEcn = 0x80;  // a flag beside the kind

inline constexpr size_t kVirtioBytes = sizeof(VirtioHeader);
inline constexpr size_t kHeaderBytes = sizeof(sabot_pacer_header);

enum class HeaderFault {
  kNone,
  kShort,         // no room for the headers
  kForeign,       // not handed over by our program: the magic is missing
  kChecksum,      // the checksum to be filled in lies outside the frame
  kSegmentation,  // an unknown kind of segmentation, or sizes that cannot be
};

struct Unwrapped {
  HeaderFault fault = HeaderFault::kNone;
  uint64_t release_ns = 0;  // CLOCK_MONOTONIC
};

// Takes our header out of a frame of `total` bytes as read from the tap; `head` is its first contiguous part:
// all of it, or at least 64 bytes. On success the frame to write back, virtio header first, is the same
// memory from kHeaderBytes on. On a fault nothing is promised about the contents of `head`.
Unwrapped UnwrapFrame(std::span<uint8_t> head, size_t total);

}  // namespace sabot::pacer

#endif  // SABOT_AGENT_PACER_FRAME_HEADER_H_
