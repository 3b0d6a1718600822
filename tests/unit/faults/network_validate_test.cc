// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "agent/faults/network.h"

namespace sabot::agent {
namespace {

using testing::HasSubstr;

absl::Status Validate(const std::string& network) {
  sabot::v1::Fault fault;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString("id: 'x' network { " + network + " }", &fault))
      << network;
  return kNetworkFault.validate(fault);
}

TEST(NetworkFault, IsTakenWhenItIsWhole) {
  EXPECT_TRUE(Validate("direction: EGRESS all_peers: true loss { percent: 0 }").ok());
  EXPECT_TRUE(Validate("direction: BOTH all_peers: true loss { percent: 100 }").ok());
  EXPECT_TRUE(Validate("direction: EGRESS all_peers: true delay { latency_ns: 1 }").ok());
  EXPECT_TRUE(Validate("direction: EGRESS all_peers: true delay { latency_ns: 3600000000000 }").ok());
  EXPECT_TRUE(Validate(R"(direction: INGRESS peers { address: "\x0a\0\0\0" length: 8 } partition {})").ok());
  EXPECT_TRUE(
      Validate(R"(direction: BOTH peers { address: "\xff\xff\xff\xff" length: 32 } partition {})").ok());
}

TEST(NetworkFault, NamesTheFieldThatIsWrong) {
  const struct {
    const char* network;
    const char* field;
  } cases[] = {
      {"all_peers: true partition {}", "network.direction"},
      {"direction: BOTH all_peers: true delay { latency_ns: 5 }", "network.direction"},
      {"direction: EGRESS partition {}", "network.peers"},
      {R"(direction: EGRESS all_peers: true peers { address: "\x0a\0\0\0" length: 8 } partition {})",
       "network.peers"},
      {R"(direction: EGRESS peers { address: "abc" length: 8 } partition {})", "network.peers[0].address"},
      {R"(direction: EGRESS peers { address: "\x0a\0\0\0" length: 33 } partition {})",
       "network.peers[0].length"},
      {R"(direction: EGRESS peers { address: "\x0a\0\0\x01" length: 31 } partition {})",
       "network.peers[0].address"},
      {"direction: EGRESS all_peers: true", "network.effect"},
      {"direction: EGRESS all_peers: true loss { percent: -0.1 }", "network.loss.percent"},
      {"direction: EGRESS all_peers: true loss { percent: 100.1 }", "network.loss.percent"},
      {"direction: EGRESS all_peers: true loss { percent: nan }", "network.loss.percent"},
      {"direction: EGRESS all_peers: true delay { latency_ns: 0 }", "network.delay.latency_ns"},
      {"direction: EGRESS all_peers: true delay { latency_ns: 3600000000001 }", "network.delay.latency_ns"},
      {"direction: EGRESS all_peers: true delay { latency_ns: 1 jitter_ns: 3600000000000 }",
       "network.delay.jitter_ns"},
      {"direction: EGRESS all_peers: true delay { latency_ns: 1 correlation: 101 }",
       "network.delay.correlation"},
      {"direction: EGRESS all_peers: true delay { latency_ns: 1 reorder_percent: nan }",
       "network.delay.reorder_percent"},
      {"direction: INGRESS all_peers: true duplicate { percent: 1 }", "network.direction"},
      {"direction: EGRESS all_peers: true duplicate { percent: 101 }", "network.duplicate.percent"},
      {"direction: EGRESS all_peers: true corrupt { percent: -1 }", "network.corrupt.percent"},
      {"direction: EGRESS all_peers: true rate { limit_bytes: 1 }", "network.rate.bytes_per_second"},
      {"direction: EGRESS all_peers: true rate { bytes_per_second: 1 }", "network.rate.limit_bytes"},
      {"direction: EGRESS all_peers: true device: 'sixteencharacter' partition {}", "network.device"},
  };
  for (const auto& one : cases) {
    const absl::Status status = Validate(one.network);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << one.network;
    EXPECT_THAT(std::string(status.message()), HasSubstr(one.field)) << one.network;
  }
}

}  // namespace
}  // namespace sabot::agent
