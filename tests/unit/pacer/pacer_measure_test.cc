// SPDX-License-Identifier: Apache-2.0
//
// How exact and how fast the pacer is. The figures are printed.
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "tests/unit/pacer/lab.h"
#include "tests/unit/pacer/traffic.h"

namespace sabot::pacer {
namespace {

// Processor time that a process has used, in seconds.
double CpuSeconds(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  std::istringstream rest(text.substr(text.rfind(')') + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) rest >> skipped;
  double user = 0, system = 0;
  rest >> user >> system;
  return (user + system) / sysconf(_SC_CLK_TCK);
}

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
      double cpu = CpuSeconds(lab.pacer->pid());
      Throughput throughput = SendFlows(lab, {.count = flows});
      Stats after = lab.stats();
      uint64_t frames = after.released - before.released;
      std::printf(
          "[ figure ] TCP, %4.1f ms asked, %d flows: %.2f Gbit/s, %llu frames, %llu lost, mean lateness %.1f "
          "us, max %.1f us, cpu %.3f s/GB\n",
          ms, flows, throughput.gigabits_per_second, (unsigned long long)frames,
          (unsigned long long)(after.dropped_full + after.refused),
          (after.late_ns_sum - before.late_ns_sum) / 1e3 / (frames ? frames : 1), after.late_ns_max / 1e3,
          (CpuSeconds(lab.pacer->pid()) - cpu) / (throughput.bytes / 1e9));
    }
  }
}

}  // namespace
}  // namespace sabot::pacer
