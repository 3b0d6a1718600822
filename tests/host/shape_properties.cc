// SPDX-License-Identifier: Apache-2.0
//
// What effects have beyond their plain form: how delays spread and follow each other, packets that overtake,
// losses in a row, a narrow line, broken bits.
#include <algorithm>
#include <functional>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/host/property.h"
#include "tests/support/clock.h"
#include "tests/support/statistics.h"
#include "tests/support/udp_probe.h"

namespace sabot::test {
namespace {

// Of each value with the one after it.
double Autocorrelation(const std::vector<double>& values) {
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  double both = 0, own = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    own += (values[i] - mean) * (values[i] - mean);
    if (i > 0) both += (values[i] - mean) * (values[i - 1] - mean);
  }
  return own == 0 ? 0 : both / own;
}

std::vector<double> DelaysMs(const Tally& tally) {
  std::vector<double> delays;
  for (const Datagram& datagram : tally.datagrams) {
    if (datagram.received_ns != 0) {
      delays.push_back(static_cast<double>(datagram.delay_ns()) / 1e6 / TimeScale());
    }
  }
  return delays;
}

// Injects, measures, lets go.
void With(Scenario& scenario, const NetworkChaos& chaos, const ProbePlan& plan,
          const std::function<void(const Tally&)>& check) {
  auto run = scenario.Start({chaos});
  FaultReport fault = run->WaitInjected().front();
  EXPECT_EQ(fault.mechanism, scenario.cell().mechanism) << fault.Describe();
  EXPECT_EQ(fault.kind, absl::StrCat("network/", chaos.action)) << fault.Describe();
  Tally tally = ProbeUdp(scenario.network().target, scenario.network().peer, Family::kIpv4, plan);
  SCOPED_TRACE(tally.Describe());
  check(tally);
  scenario.ExpectGoodEnd(run->Interrupt(), "Recovered");
}

NetworkChaos Delay(Scenario& scenario, const std::string& latency, const std::vector<std::string>& more) {
  NetworkChaos chaos = scenario.Moderate();
  chaos.strength = latency;
  chaos.more = more;
  return chaos;
}

// Times grow with the time scale: an emulated processor is late by milliseconds, which must stay small beside
// what is measured.
std::string Ms(double ms) { return absl::StrCat(static_cast<int>(ms * TimeScale()), "ms"); }

int Packets() { return TimeScale() > 1 ? 600 : 1500; }

ProbePlan SlowProbe() {
  return {.packets = Packets(), .rate_pps = 1000, .drain = absl::Milliseconds(500) * TimeScale()};
}

// In units of the time scale.
double DelayMs(int64_t ns) { return static_cast<double>(ns) / 1e6 / TimeScale(); }

// 40 ms, give or take 20: evenly spread, so that nine tenths and one tenth are 32 ms apart.
void ExpectEvenSpread(const Tally& tally) {
  constexpr double kLateMs = 4;
  EXPECT_EQ(tally.received, Packets());
  EXPECT_GE(DelayMs(tally.MinDelayNs()), 20);
  EXPECT_NEAR(DelayMs(tally.DelayPercentileNs(0.1)), 24 + kLateMs / 2, 2 + kLateMs / 2);
  EXPECT_NEAR(DelayMs(tally.MedianDelayNs()), 40 + kLateMs / 2, 3 + kLateMs / 2);
  EXPECT_NEAR(DelayMs(tally.DelayPercentileNs(0.9)), 56 + kLateMs / 2, 2 + kLateMs / 2);
}

void ExpectJitter(Scenario& scenario) {
  With(scenario, Delay(scenario, Ms(40), {"jitter: " + Ms(20)}), SlowProbe(), [](const Tally& tally) {
    ExpectEvenSpread(tally);
    EXPECT_GT(tally.reordered, Packets() / 10);
    EXPECT_LT(std::abs(Autocorrelation(DelaysMs(tally))), 0.2);
  });
}

// netem's own correlation narrows the spread, so only ours is held to it.
void ExpectCorrelatedJitter(Scenario& scenario) {
  With(scenario, Delay(scenario, Ms(40), {"jitter: " + Ms(20), "correlation: \"75\""}), SlowProbe(),
       [](const Tally& tally) {
         EXPECT_EQ(tally.received, Packets());
         EXPECT_GE(DelayMs(tally.MinDelayNs()), 20);
         EXPECT_NEAR(Autocorrelation(DelaysMs(tally)), 0.75, 0.15);
       });
}

void ExpectReordering(Scenario& scenario) {
  const std::vector<std::string> reorder = {"reorder:", "  reorder: \"30\"", "  gap: 1"};
  With(scenario, Delay(scenario, Ms(100), reorder), SlowProbe(), [](const Tally& tally) {
    const auto delays = DelaysMs(tally);
    const auto prompt = std::count_if(delays.begin(), delays.end(), [](double ms) { return ms < 50; });
    EXPECT_EQ(tally.received, Packets());
    const Bounds bounds = BinomialBounds(Packets(), 0.3);
    EXPECT_TRUE(bounds.Contains(prompt)) << prompt << " were not delayed";
    EXPECT_TRUE(std::all_of(delays.begin(), delays.end(), [](double ms) { return ms < 50 || ms >= 100; }));
  });
}

// Four times too much for the line: what arrives, arrives at its rate.
void ExpectRate(Scenario& scenario) {
  constexpr double kFrame = 14 + 20 + 8 + 1000;
  const double bytes_per_second = 125'000 / TimeScale();
  constexpr int kFrames = 200;
  NetworkChaos chaos = scenario.Moderate();
  chaos.action = "rate";
  chaos.strength = absl::StrCat(static_cast<int>(bytes_per_second * 8), "bit");
  const ProbePlan plan = {
      .packets = kFrames, .rate_pps = 500, .payload_bytes = 1000, .drain = absl::Seconds(4) * TimeScale()};
  With(scenario, chaos, plan, [&](const Tally& tally) {
    EXPECT_EQ(tally.received, kFrames);
    int64_t first = INT64_MAX, last = 0;
    for (const Datagram& datagram : tally.datagrams) {
      first = std::min(first, datagram.received_ns);
      last = std::max(last, datagram.received_ns);
    }
    const double rate = (kFrames - 1) * kFrame / (static_cast<double>(last - first) / 1e9);
    EXPECT_NEAR(rate / bytes_per_second, 1, 0.05);
    EXPECT_EQ(tally.reordered, 0);
  });
}

// As many are lost as without correlation, and more in a row.
void ExpectLossesInARow(Scenario& scenario) {
  constexpr int kMany = 4000;
  NetworkChaos chaos = scenario.Moderate();
  chaos.more = {"correlation: \"60\""};
  With(scenario, chaos, {.packets = kMany}, [](const Tally& tally) {
    std::vector<double> lost;
    for (const Datagram& datagram : tally.datagrams) lost.push_back(datagram.lost() ? 1 : 0);
    const double share = std::accumulate(lost.begin(), lost.end(), 0.0) / kMany;
    // Twice the spread of independent losses, and five of those.
    EXPECT_NEAR(share, 0.3, 5 * 2 * 0.0073);
    EXPECT_NEAR(Autocorrelation(lost), 0.6, 0.1);
  });
}

// A flipped bit shows to the receiver as a checksum that does not fit, wherever one covers it.
void ExpectCorruption(Scenario& scenario) {
  NetworkChaos chaos = scenario.Moderate();
  chaos.action = "corrupt";
  chaos.strength = "100";
  With(scenario, chaos, {.packets = 1000}, [](const Tally& tally) {
    EXPECT_LT(tally.received, 250);
    EXPECT_EQ(tally.corrupted, 0) << "broken datagrams were delivered";
  });
}

}  // namespace

void ShapesAreAsAskedFor(Scenario& scenario) {
  const bool netem = std::string(scenario.cell().mechanism) == "netem";
  if (scenario.effect().kind == EffectKind::kLoss) {
    netem ? ExpectCorruption(scenario) : ExpectLossesInARow(scenario);
    return;
  }
  ExpectJitter(scenario);
  ExpectReordering(scenario);
  if (netem) return;
  ExpectCorrelatedJitter(scenario);
  ExpectRate(scenario);
}

}  // namespace sabot::test
