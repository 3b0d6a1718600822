// SPDX-License-Identifier: Apache-2.0
//
// How exact and how fast the pacer is. The figures are printed.
#include <gtest/gtest.h>

#include <cstdio>

#include "tests/unit/pacer/lab.h"
#include "tests/unit/pacer/traffic.h"

namespace sabot::pacer {
namespace {

class PacerMeasure : public testing::Test {
 protected:
  void SetUp() override {
    if (std::string why = WhyNoLab(); !why.empty()) GTEST_SKIP() << why;
  }
};

TEST_F(PacerMeasure, DelaysDatagrams) {
  Lab lab;
  for (double ms : {0.0, 0.5, 1.0, 10.0, 50.0}) {
    lab.Delay(absl::Milliseconds(ms));
    Datagrams plan = {.count = 2000};
    (void)SendDatagrams(lab, {.count = 20});
    Delays delays = SendDatagrams(lab, plan);
    std::printf(
        "[ figure ] UDP, %4.1f ms asked: wire median %.3f p99 %.3f max %.3f, program median %.3f p99 %.3f "
        "ms; %zu of %d\n",
        ms, Percentile(delays.wire_ms, 0.5), Percentile(delays.wire_ms, 0.99), Percentile(delays.wire_ms, 1),
        Percentile(delays.program_ms, 0.5), Percentile(delays.program_ms, 0.99), delays.wire_ms.size(),
        plan.count);
  }
}

TEST_F(PacerMeasure, CarriesStreams) {
  Lab lab;
  for (double ms : {0.0, 1.0, 10.0, 50.0}) {
    lab.Delay(absl::Milliseconds(ms));
    for (int flows : {1, 8}) {
      Stats before = lab.stats();
      Throughput throughput = SendFlows(lab, {.count = flows});
      Stats after = lab.stats();
      uint64_t frames = after.released - before.released;
      std::printf(
          "[ figure ] TCP, %4.1f ms asked, %d flows: %.2f Gbit/s, %llu frames, %llu lost, mean lateness %.1f "
          "us, max %.1f us\n",
          ms, flows, throughput.gigabits_per_second, (unsigned long long)frames,
          (unsigned long long)(after.dropped_full + after.refused),
          (after.late_ns_sum - before.late_ns_sum) / 1e3 / (frames ? frames : 1), after.late_ns_max / 1e3);
    }
  }
}

}  // namespace
}  // namespace sabot::pacer
