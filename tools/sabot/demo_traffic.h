// SPDX-License-Identifier: Apache-2.0
//
// A small request/response service over TCP and its client, as the demo's victims.
#ifndef SABOT_TOOLS_SABOT_DEMO_TRAFFIC_H_
#define SABOT_TOOLS_SABOT_DEMO_TRAFFIC_H_

#include <cstdint>

namespace sabot::cli {

// What the client saw since it was last asked.
struct TrafficReport {
  uint32_t answered = 0;
  uint32_t failed = 0;  // no answer within half a second, or no connection
  double seconds = 0;
  double median_ms = 0;
  double p99_ms = 0;
};

// Answers 64-byte requests on TCP port 7070 of all addresses. Never returns.
[[noreturn]] void ServeTraffic();

// Sends a request about every millisecond to `address` (dotted), one at a time. Each byte read from `ask` is
// answered by a TrafficReport written to `tell`. Returns when `ask` is closed.
void MakeTraffic(const char* address, int ask, int tell);

}  // namespace sabot::cli

#endif  // SABOT_TOOLS_SABOT_DEMO_TRAFFIC_H_
