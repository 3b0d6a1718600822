// SPDX-License-Identifier: Apache-2.0
//
// What agent and pacer say to each other over the control socket (SOCK_SEQPACKET, one struct per message,
// host byte order: both ends are the same build on the same machine).
#ifndef SABOT_AGENT_PACER_CONTROL_H_
#define SABOT_AGENT_PACER_CONTROL_H_

#include <cstdint>

namespace sabot::pacer {

enum class MessageType : uint32_t { kStats = 1 };

struct StatsRequest {
  MessageType type = MessageType::kStats;
  // Comes back in the answer, so that the answer to a request that was given up is not taken for a later one.
  uint32_t serial = 0;
};

// Counters since the start, unless said otherwise. Every frame in ends in exactly one of: released, refused,
// dropped_full, bad, held.
struct Stats {
  MessageType type = MessageType::kStats;
  uint32_t serial = 0;
  uint64_t frames_in = 0;  // read from the tap
  uint64_t released = 0;   // written back
  uint64_t refused = 0;    // due, but the tap did not take them (device down, no memory, header not accepted)
  uint64_t dropped_full = 0;  // newest frames, dropped because max-bytes were held
  uint64_t bad = 0;           // without our header, or with a virtio header that does not fit the frame
  uint64_t shortened = 0;     // asked for longer than max-hold, and held for max-hold
  uint64_t held = 0;          // now
  uint64_t held_bytes = 0;    // now; memory taken, not payload
  uint64_t late_ns_sum = 0;   // over all released or refused frames: begin of the write minus release time
  uint64_t late_ns_max = 0;   // since the last request
  uint64_t realtime = 0;      // 1: has real-time scheduling while not busy, so is exact on a busy machine too
};
static_assert(sizeof(StatsRequest) == 8);
static_assert(sizeof(Stats) == 96);

}  // namespace sabot::pacer

#endif  // SABOT_AGENT_PACER_CONTROL_H_
