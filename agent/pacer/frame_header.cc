// SPDX-License-Identifier: Apache-2.0
#include "agent/pacer/frame_header.h"

#include <linux/if_ether.h>

#include <cstring>

namespace sabot::pacer {
namespace {

constexpr size_t kAddressBytes = 2 * ETH_ALEN;
constexpr size_t kTagBytes = 4;

// Our header is 16 bytes of the kernel's own making, so its offsets in the virtio header count it: take it
// off again.
HeaderFault RebaseChecksum(VirtioHeader& virtio, size_t frame_bytes) {
  if (!(virtio.flags & kVirtioNeedsChecksum)) return HeaderFault::kNone;
  if (virtio.csum_start < kHeaderBytes + ETH_HLEN) return HeaderFault::kChecksum;
  virtio.csum_start -= kHeaderBytes;
  size_t end = size_t{virtio.csum_start} + virtio.csum_offset + sizeof(uint16_t);
  return end <= frame_bytes ? HeaderFault::kNone : HeaderFault::kChecksum;
}

bool KnownSegmentation(uint8_t gso_type) {
  uint8_t kind = gso_type & ~kGsoEcn;
  return kind == kGsoTcp4 || kind == kGsoTcp6 || kind == kGsoUdp;
}

HeaderFault RebaseSegmentation(VirtioHeader& virtio, size_t frame_bytes) {
  if (virtio.gso_type == kGsoNone) {
    virtio.hdr_len = 0;
    return HeaderFault::kNone;
  }
  if (!KnownSegmentation(virtio.gso_type) || virtio.gso_size == 0) return HeaderFault::kSegmentation;
  if (virtio.hdr_len < kHeaderBytes + ETH_HLEN) return HeaderFault::kSegmentation;
  virtio.hdr_len -= kHeaderBytes;
  return virtio.hdr_len <= frame_bytes ? HeaderFault::kNone : HeaderFault::kSegmentation;
}

// The tap writes a VLAN tag that the kernel kept beside the packet behind byte 12 of it, which is the middle
// of our header. Puts it where it belongs. `header` is where our header begins.
HeaderFault MoveStrayTag(uint8_t* header, size_t bytes_from_header) {
  constexpr size_t kAt = offsetof(sabot_pacer_header, reserved);
  static_assert(kAt == kAddressBytes);
  uint32_t reserved;
  std::memcpy(&reserved, header + kAt, sizeof(reserved));
  if (reserved == 0) return HeaderFault::kNone;
  uint8_t tag[kTagBytes];
  std::memcpy(tag, header + kAt, kTagBytes);
  bool vlan = (tag[0] == 0x81 && tag[1] == 0x00) || (tag[0] == 0x88 && tag[1] == 0xa8);
  if (!vlan) return HeaderFault::kForeign;
  if (bytes_from_header < kHeaderBytes + kTagBytes + ETH_HLEN) return HeaderFault::kShort;
  std::memmove(header + kHeaderBytes, header + kHeaderBytes + kTagBytes, kAddressBytes);
  std::memcpy(header + kHeaderBytes + kAddressBytes, tag, kTagBytes);
  return HeaderFault::kNone;
}

}  // namespace

Unwrapped UnwrapFrame(std::span<uint8_t> head, size_t total) {
  if (total < kVirtioBytes + kHeaderBytes + ETH_HLEN || head.size() < kVirtioBytes + kHeaderBytes + ETH_HLEN)
    return {HeaderFault::kShort};
  VirtioHeader virtio;
  sabot_pacer_header header;
  std::memcpy(&virtio, head.data(), kVirtioBytes);
  std::memcpy(&header, head.data() + kVirtioBytes, kHeaderBytes);
  if (header.magic != SABOT_PACER_MAGIC) return {HeaderFault::kForeign};

  size_t frame_bytes = total - kVirtioBytes - kHeaderBytes;
  HeaderFault fault = RebaseChecksum(virtio, frame_bytes);
  if (fault == HeaderFault::kNone) fault = RebaseSegmentation(virtio, frame_bytes);
  if (fault == HeaderFault::kNone)
    fault = MoveStrayTag(head.data() + kVirtioBytes, head.size() - kVirtioBytes);
  if (fault != HeaderFault::kNone) return {fault};
  std::memcpy(head.data() + kHeaderBytes, &virtio, kVirtioBytes);
  return {HeaderFault::kNone, header.release_ns};
}

}  // namespace sabot::pacer
