// SPDX-License-Identifier: Apache-2.0
//
// Whom the fault hits: direction, device, peers.
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/host/property.h"
#include "tests/support/udp_probe.h"

namespace sabot::test {
namespace {

void ExpectDirections(Scenario& scenario, const std::string& direction, int faults, bool to_hit,
                      bool from_hit) {
  SCOPED_TRACE("direction: " + direction);
  TestNetwork& network = scenario.network();
  NetworkChaos chaos = scenario.Strong();
  chaos.external_targets.clear();
  chaos.target_app = "peer";
  chaos.direction = direction;
  auto run = scenario.Start({chaos}, /*with_peer=*/true);
  run->WaitInjected(faults);
  to_hit ? scenario.ExpectHit(network.target, network.peer)
         : scenario.ExpectUnhurt(network.target, network.peer);
  from_hit ? scenario.ExpectHit(network.peer, network.target)
           : scenario.ExpectUnhurt(network.peer, network.target);
  scenario.ExpectUnhurt(network.target, network.neighbour);
  scenario.ExpectUnhurt(network.neighbour, network.peer);
  scenario.ExpectGoodEnd(run->Interrupt(), "Recovered");
}

}  // namespace

void ActsInTheDirectionAsked(Scenario& scenario) {
  ExpectDirections(scenario, "to", 1, true, false);
  ExpectDirections(scenario, "from", 1, false, true);
  ExpectDirections(scenario, "both", 1, true, true);
}

void KeepsToItsDevice(Scenario& scenario) {
  TestNetwork& network = scenario.network();
  NetworkChaos chaos = scenario.Strong();
  chaos.device = "eth1";
  for (Family family : kBothFamilies)
    chaos.external_targets.push_back(network.peer.eth1_address(family).Prefix());
  auto run = scenario.Inject(chaos);
  for (Family family : kBothFamilies) {
    scenario.ExpectHit(network.target, network.peer, network.peer.eth1_address(family));
    scenario.ExpectUnhurt(network.target, network.peer, network.peer.address(family));
  }
  scenario.ExpectGoodEnd(run->Interrupt(), "Recovered");
}

void RefusesADeviceThatIsNotThere(Scenario& scenario) {
  NetworkChaos chaos = scenario.Strong();
  chaos.device = "nosuch0";
  RunEnd end = scenario.Start({chaos})->End(absl::Seconds(5));
  EXPECT_EQ(end.exit_code, 1) << end.Describe();
  ASSERT_EQ(end.faults.size(), 1U) << end.Describe();
  EXPECT_EQ(end.faults.front().phase, "Rejected") << end.Describe();
  EXPECT_NE(end.faults.front().message.find("nosuch0"), std::string::npos) << end.Describe();
  scenario.ExpectUnhurt(scenario.network().target, scenario.network().peer);
}

void MatchesPrefixes(Scenario& scenario) {
  TestNetwork& network = scenario.network();
  NetworkChaos chaos = scenario.Strong();
  chaos.external_targets = {"10.77.2.0/24", "fd00:77:2::/48"};
  auto run = scenario.Inject(chaos);
  scenario.ExpectHit(network.target, network.peer);
  scenario.ExpectUnhurt(network.target, network.neighbour);
  scenario.ExpectGoodEnd(run->Interrupt(), "Recovered");
}

void WithoutPeersHitsAllButLoopback(Scenario& scenario) {
  TestNetwork& network = scenario.network();
  NetworkChaos chaos = scenario.Strong();
  chaos.external_targets.clear();
  auto run = scenario.Inject(chaos);
  scenario.ExpectHit(network.target, network.peer);
  scenario.ExpectHit(network.target, network.neighbour);
  scenario.ExpectUnhurt(network.neighbour, network.peer);
  scenario.ExpectUnhurt(network.target, network.target, {Family::kIpv4, "127.0.0.1"});
  scenario.ExpectUnhurt(network.target, network.target, {Family::kIpv6, "::1"});
  scenario.ExpectGoodEnd(run->Interrupt(), "Recovered");
}

}  // namespace sabot::test
