// SPDX-License-Identifier: Apache-2.0
#ifndef SABOT_AGENT_NETWORK_QUEUE_LIMIT_H_
#define SABOT_AGENT_NETWORK_QUEUE_LIMIT_H_

#include <algorithm>
#include <cstdint>

namespace sabot::agent {

// How many packets a queue must be able to hold so that a delay never drops one: two million packets a
// second, which is more than one core sends, for as long as the delay; at least fq's own default, and at most
// 8 million. The kernels' defaults (fq 10000 and 100 per flow, netem 1000) drop silently at rate x delay
// above them.
inline uint32_t QueueLimit(uint64_t delay_ns) {
  return static_cast<uint32_t>(std::clamp<uint64_t>(delay_ns / 500, 10'000, 8'000'000));
}

}  // namespace sabot::agent

#endif  // SABOT_AGENT_NETWORK_QUEUE_LIMIT_H_
