// SPDX-License-Identifier: Apache-2.0
//
// The agent as its client sees it: a desired map goes in over the local socket, the kernel follows.
#include <arpa/inet.h>

#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "tests/host/property.h"
#include "tests/support/agent_client.h"
#include "tests/support/bpf_inventory.h"
#include "tests/support/clock.h"
#include "tests/support/require.h"
#include "tests/support/udp_probe.h"

namespace sabot::test {
namespace {

constexpr uint64_t kPackets = 100;

void AddPeer(v1::NetworkFault& fault, const Address& address) {
  char bytes[16];
  bool v4 = address.family == Family::kIpv4;
  Require(::inet_pton(v4 ? AF_INET : AF_INET6, address.text.c_str(), bytes) == 1, "read an address");
  v1::NetworkFault::Prefix* prefix = fault.add_peers();
  prefix->set_address(bytes, v4 ? 4 : 16);
  prefix->set_length(v4 ? 32 : 128);
}

// The scenario's strong effect as one fault.
v1::NodeFaultMap Map(Scenario& scenario, uint64_t revision) {
  v1::NodeFaultMap map;
  map.set_revision(revision);
  v1::Fault* fault = map.add_faults();
  fault->set_id("default/strong/target/" + std::string(scenario.effect().action));
  fault->mutable_experiment()->set_kind("NetworkChaos");
  fault->mutable_experiment()->set_namespace_("default");
  fault->mutable_experiment()->set_name("strong");
  fault->mutable_experiment()->set_uid("default/strong");
  fault->mutable_target()->set_name("default/target");
  if (scenario.cell().target_by == TargetBy::kCgroup) {
    fault->mutable_target()->set_cgroup(scenario.network().target.cgroup());
  } else {
    fault->mutable_target()->set_netns(scenario.network().target.netns_path());
  }
  fault->mutable_mechanism()->add_allowed(scenario.cell().mechanism);
  v1::NetworkFault* network = fault->mutable_network();
  network->set_direction(v1::NetworkFault::EGRESS);
  for (Family family : kBothFamilies) AddPeer(*network, scenario.network().peer.address(family));
  switch (scenario.effect().kind) {
    case EffectKind::kLoss:
      network->mutable_loss()->set_percent(100);
      break;
    case EffectKind::kDuplicate:
      network->mutable_duplicate()->set_percent(100);
      break;
    case EffectKind::kDelay:
      network->mutable_delay()->set_latency_ns(static_cast<uint64_t>(scenario.effect().strong_delay_ns));
      break;
    case EffectKind::kPartition:
      network->mutable_partition();
      break;
  }
  return map;
}

// Asks until the one fault acts; its status.
v1::FaultStatus WaitInjected(AgentConnection& connection) {
  int64_t deadline_ns = NowNs() + absl::ToInt64Nanoseconds(Scaled(absl::Seconds(5)));
  v1::LocalResponse response;
  do {
    response = connection.Status();
    if (response.faults_size() == 1 && response.faults(0).phase() == v1::INJECTED) return response.faults(0);
  } while (NowNs() < deadline_ns);
  throw ArrangementFailed("the agent does not inject: " + response.ShortDebugString());
}

// What an unneeded second attachment would change: BPF objects of the agent, and all that is in the
// namespace.
std::string Trace(Scenario& scenario, const AgentProcess& agent) {
  std::set<std::string> lines = HostSnapshot::Take({.residents = {&scenario.network().target}}).lines();
  return absl::StrJoin(BpfObjectsHeldBy(agent.pid()), "\n") + absl::StrJoin(lines, "\n");
}

}  // namespace

void ApplyTwiceIsIdempotent(Scenario& scenario) {
  TestNetwork& network = scenario.network();
  AgentProcess agent(scenario.cli().state_dir());
  AgentConnection connection = agent.Connect();
  v1::LocalResponse response = connection.Apply(Map(scenario, 1));
  ASSERT_EQ(response.code(), 0) << response.message();
  EXPECT_EQ(WaitInjected(connection).mechanism(), scenario.cell().mechanism);
  scenario.ExpectHit(network.target, network.peer, network.peer.address(Family::kIpv4), kPackets);
  std::string before = Trace(scenario, agent);

  EXPECT_EQ(connection.Apply(Map(scenario, 1)).code(), 0) << "the same map";
  EXPECT_EQ(connection.Apply(Map(scenario, 2)).code(), 0) << "an equal map of a later revision";
  v1::FaultStatus status = WaitInjected(connection);
  EXPECT_EQ(Trace(scenario, agent), before);
  EXPECT_EQ(status.counters().matched(), kPackets) << "counters go on";
  scenario.ExpectHit(network.target, network.peer, network.peer.address(Family::kIpv4), kPackets);
  EXPECT_EQ(WaitInjected(connection).counters().matched(), 2 * kPackets);

  EXPECT_NE(connection.Apply(Map(scenario, 1)).code(), 0) << "an earlier revision is refused";
  v1::NodeFaultMap empty;
  empty.set_revision(3);
  EXPECT_EQ(connection.Apply(empty).code(), 0);
  scenario.ExpectUnhurt(network.target, network.peer);
  Finished finished = agent.Stop();
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
}

void EndsWithItsConnection(Scenario& scenario) {
  TestNetwork& network = scenario.network();
  AgentProcess agent(scenario.cli().state_dir());
  UdpStream stream(network.target, network.peer, Family::kIpv4);
  {
    AgentConnection connection = agent.Connect();
    ASSERT_EQ(connection.Apply(Map(scenario, 1)).code(), 0);
    WaitInjected(connection);
    EXPECT_NE(agent.Connect().Apply(Map(scenario, 2)).code(), 0) << "a second owner is refused";
    EXPECT_TRUE(stream.WaitUntilLast(
        40, [&](const Datagram& datagram) { return IsHit(scenario.effect(), datagram); },
        Scaled(absl::Seconds(3)), absl::Milliseconds(400)));
  }
  EXPECT_TRUE(stream.WaitUntilLast(
      40, [&](const Datagram& datagram) { return IsUnhurt(scenario.effect(), datagram); },
      absl::Seconds(4) + Scaled(absl::Seconds(1)), absl::Milliseconds(400)))
      << "the fault outlives its client";
  stream.Stop();
  EXPECT_EQ(agent.Stop().exit_code, 0);
}

}  // namespace sabot::test
