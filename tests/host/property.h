// SPDX-License-Identifier: Apache-2.0
//
// The conformance table's columns: what must hold for every effect on every rung.
#ifndef SABOT_TESTS_HOST_PROPERTY_H_
#define SABOT_TESTS_HOST_PROPERTY_H_

#include <string>
#include <vector>

#include "tests/host/scenario.h"

namespace sabot::test {

struct Property {
  const char* name;    // in test names
  const char* column;  // in the table
  void (*check)(Scenario& scenario);
  bool (*applies)(const Cell& cell) = nullptr;  // to every cell, if it is null
};

// What the fault does: effect_properties.cc.
void EffectMeasuredInside(Scenario& scenario);
void NeighbourUntouched(Scenario& scenario);
void CountersAgree(Scenario& scenario);
void TwoFaultsActAndLeaveIndependently(Scenario& scenario);

// How it ends: ending_properties.cc.
void EndsAtItsDeadline(Scenario& scenario);
void LetsGoWhenStopped(Scenario& scenario);
void LetsGoWhenKilled(Scenario& scenario);
void RepairedByAFreshStart(Scenario& scenario);
void LetsGoOnSigint(Scenario& scenario);
void LetsGoOnSigterm(Scenario& scenario);
void LetsGoWhenItsHelperStops(Scenario& scenario);
void LetsGoWhenItsHelperDies(Scenario& scenario);

// Whom it hits: matching_properties.cc.
void ActsInTheDirectionAsked(Scenario& scenario);
void KeepsToItsDevice(Scenario& scenario);
void RefusesADeviceThatIsNotThere(Scenario& scenario);
void MatchesPrefixes(Scenario& scenario);
void WithoutPeersHitsAllButLoopback(Scenario& scenario);

// The agent behind its socket: agent_properties.cc.
void ApplyTwiceIsIdempotent(Scenario& scenario);
void EndsWithItsConnection(Scenario& scenario);

// What effects have beyond their plain form: shape_properties.cc.
void ShapesAreAsAskedFor(Scenario& scenario);

inline bool HasHelper(const Cell& cell) { return std::string(cell.mechanism) == "pacer"; }
inline bool HasShapes(const Cell& cell) {
  return cell.effect->kind == EffectKind::kLoss || cell.effect->kind == EffectKind::kDelay;
}

inline const std::vector<Property>& Properties() {
  static const std::vector<Property> properties = {
      {"EffectMeasuredInside", "effect", EffectMeasuredInside},
      {"ShapesAreAsAskedFor", "shapes", ShapesAreAsAskedFor, HasShapes},
      {"NeighbourUntouched", "neighbour", NeighbourUntouched},
      {"CountersAgree", "counters", CountersAgree},
      {"TwoFaultsActAndLeaveIndependently", "two", TwoFaultsActAndLeaveIndependently},
      {"EndsAtItsDeadline", "deadline", EndsAtItsDeadline},
      {"LetsGoWhenStopped", "stopped", LetsGoWhenStopped},
      {"LetsGoWhenKilled", "killed", LetsGoWhenKilled},
      {"RepairedByAFreshStart", "restart", RepairedByAFreshStart},
      {"LetsGoOnSigint", "sigint", LetsGoOnSigint},
      {"LetsGoOnSigterm", "sigterm", LetsGoOnSigterm},
      {"LetsGoWhenItsHelperStops", "helper-st", LetsGoWhenItsHelperStops, HasHelper},
      {"LetsGoWhenItsHelperDies", "helper-ki", LetsGoWhenItsHelperDies, HasHelper},
      {"ActsInTheDirectionAsked", "direction", ActsInTheDirectionAsked},
      {"KeepsToItsDevice", "device", KeepsToItsDevice},
      {"RefusesADeviceThatIsNotThere", "no-device", RefusesADeviceThatIsNotThere},
      {"MatchesPrefixes", "prefixes", MatchesPrefixes},
      {"WithoutPeersHitsAllButLoopback", "all-peers", WithoutPeersHitsAllButLoopback},
      {"ApplyTwiceIsIdempotent", "twice", ApplyTwiceIsIdempotent},
      {"EndsWithItsConnection", "lease", EndsWithItsConnection},
  };
  return properties;
}

}  // namespace sabot::test

#endif  // SABOT_TESTS_HOST_PROPERTY_H_
