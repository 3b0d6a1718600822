// SPDX-License-Identifier: Apache-2.0
//
// What a TCP client inside the target sees: time to connect, request/response latency, throughput.
#ifndef SABOT_TESTS_SUPPORT_TCP_PROBE_H_
#define SABOT_TESTS_SUPPORT_TCP_PROBE_H_

#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "tests/support/network.h"

namespace sabot::test {

struct TcpResult {
  int connect_error = 0;  // errno; ETIMEDOUT when there was no answer in time
  int64_t connect_ns = 0;
  std::vector<int64_t> round_trips_ns;  // 64 bytes there and back, one at a time
  double megabits_per_second = 0;       // of one flow from client to server, as the server received it
};

struct TcpPlan {
  int round_trips = 20;
  absl::Duration bulk = absl::ZeroDuration();  // how long to send for the throughput; zero: not at all
  absl::Duration timeout = absl::Seconds(5);   // of each step
};

TcpResult ProbeTcp(const Host& client, const Host& server, Family family, const TcpPlan& plan = {});

}  // namespace sabot::test

#endif  // SABOT_TESTS_SUPPORT_TCP_PROBE_H_
