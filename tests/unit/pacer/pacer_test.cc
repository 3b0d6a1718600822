// SPDX-License-Identifier: Apache-2.0
//
// The whole: programs in the kernel hand frames over, the helper holds them and hands them back.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <future>
#include <iterator>
#include <string>
#include <thread>

#include "absl/time/clock.h"
#include "tests/unit/pacer/lab.h"
#include "tests/unit/pacer/traffic.h"

namespace sabot::pacer {
namespace {

constexpr Family kFamilies[] = {Family::kIpv4, Family::kIpv6};

// The value of a field of /proc/PID/status, as it stands there.
std::string StatusField(pid_t pid, const std::string& field) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(field + ":\t")) return line.substr(field.size() + 2);
  return "";
}

// One datagram from a namespace to wherever its routes take it.
void SendInto(const Namespace& place, const char* address) {
  place.Run([&] {
    loader::UniqueFd fd(socket(AF_INET, SOCK_DGRAM, 0));
    sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
    inet_pton(AF_INET, address, &to.sin_addr);
    Need(sendto(fd.get(), "x", 1, 0, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 1, "send a datagram");
  });
}

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
constexpr bool kSanitized = __has_feature(address_sanitizer);
#else
constexpr bool kSanitized = false;
#endif
// A sanitizer takes memory of its own.
constexpr int kMaxRestKilobytes = kSanitized ? 64 << 10 : 6 << 10;

class PacerTest : public testing::Test {
 protected:
  void SetUp() override {
    if (std::string why = WhyNoLab(); !why.empty()) GTEST_SKIP() << why;
  }
};

void ExpectAllDelayed(const Lab& lab, const Datagrams& plan, double ms) {
  Delays delays = SendDatagrams(lab, plan);
  EXPECT_EQ(delays.wire_ms.size(), static_cast<size_t>(plan.count)) << plan.payload_bytes << " bytes";
  EXPECT_EQ(delays.reordered, 0);
  if (delays.wire_ms.empty()) return;
  EXPECT_GE(delays.wire_ms.front(), ms);
  EXPECT_LT(delays.wire_ms.front(),
            ms + TimeScale());  // how exact it is on the whole is for pacer_measure_test
}

TEST_F(PacerTest, KeepsDatagramsIntact) {
  Lab lab;
  lab.Delay(absl::Milliseconds(5));
  for (Family family : kFamilies) {
    for (int bytes : {16, 64, 1400, 4000, 60000})
      ExpectAllDelayed(lab, {.family = family, .count = 50, .payload_bytes = bytes}, 5);
    ExpectAllDelayed(lab, {.family = family, .count = 400, .payload_bytes = 1200, .per_send = 40}, 5);
  }
  EXPECT_EQ(lab.stats().bad, 0u);
  EXPECT_EQ(lab.stats().refused, 0u);
}

// The frames are made with offloads; while they are held, the device loses them. So the kernel computes
// checksums and cuts trains by what the pacer gave back, and the receiver checks the result.
TEST_F(PacerTest, KeepsOffloadInstructionsRight) {
  Lab lab;
  lab.Delay(absl::Milliseconds(200));
  for (Family family : kFamilies) {
    for (int per_send : {1, 40}) {
      Datagrams plan = {
          .family = family, .count = 10 * per_send, .payload_bytes = 1200, .per_send = per_send};
      lab.Offloads(true);
      auto delays = std::async([&] { return SendDatagrams(lab, plan); });
      while (lab.stats().held < 10) absl::SleepFor(absl::Milliseconds(1));
      absl::SleepFor(absl::Milliseconds(50));  // one of the ten may be the namespace's own
      lab.Offloads(false);
      EXPECT_EQ(delays.get().wire_ms.size(), static_cast<size_t>(plan.count));
      EXPECT_EQ(lab.stats().refused + lab.stats().bad + lab.stats().dropped_full, 0u);
    }
  }
}

TEST_F(PacerTest, KeepsOffloadInstructionsOfStreamsRight) {
  Lab lab;
  lab.Delay(absl::Milliseconds(20));
  for (Family family : kFamilies) {
    lab.Offloads(true);
    auto sent = std::async([&] { return SendFlows(lab, {.family = family, .bytes = 20'000'000}); });
    for (bool on : {false, true, false}) {
      absl::SleepFor(absl::Milliseconds(50));
      lab.Offloads(on);
    }
    EXPECT_TRUE(sent.get().intact);
  }
}

TEST_F(PacerTest, KeepsStreamsIntact) {
  Lab lab;
  lab.Delay(absl::Milliseconds(1));
  for (Family family : kFamilies) {
    Throughput throughput = SendFlows(lab, {.family = family, .count = 2, .bytes = 50'000'000});
    EXPECT_EQ(throughput.bytes, 100'000'000u);
    EXPECT_TRUE(throughput.intact);
  }
  Stats stats = lab.stats();
  EXPECT_LT(stats.frames_in, 200'000'000u / 4000) << "frames do not stay large";
  EXPECT_EQ(stats.refused + stats.bad + stats.dropped_full, 0u);
}

TEST_F(PacerTest, KeepsVlanTags) {
  Lab lab;
  lab.programs->bss->vlan = 42;
  lab.Delay(absl::Milliseconds(5));
  std::vector<VlanFrame> frames = SendAndCapture(lab, {.count = 20, .payload_bytes = 600});
  EXPECT_EQ(frames.size(), 20u);
  for (const VlanFrame& frame : frames) {
    EXPECT_EQ(frame.vlan, 42);
    EXPECT_EQ(frame.intact, true);
  }
}

TEST_F(PacerTest, HoldsFramesOfTwoDelaysAtOnce) {
  Lab lab;
  lab.Delay(absl::Milliseconds(10), absl::Milliseconds(40));
  Delays delays = SendDatagrams(lab, {.count = 400});
  ASSERT_EQ(delays.wire_ms.size(), 400u);
  EXPECT_NEAR(Percentile(delays.wire_ms, 0.25), 10, TimeScale());
  EXPECT_NEAR(Percentile(delays.wire_ms, 0.75), 50, TimeScale());
}

TEST_F(PacerTest, AccountsForEveryFrame) {
  Lab lab(1 << 20);
  lab.Delay(absl::Milliseconds(100));
  SendDatagrams(lab, {.count = 9000, .gap = absl::ZeroDuration()});  // the tap's own queue takes 10000
  Stats stats = lab.stats();
  EXPECT_GT(stats.dropped_full, 0u);
  EXPECT_EQ(stats.frames_in, stats.released + stats.refused + stats.dropped_full + stats.bad + stats.held);
  EXPECT_GE(stats.frames_in, 9000u);
}

TEST_F(PacerTest, HoldsNoMoreThanAllowed) {
  Lab lab(1 << 20);
  lab.Delay(absl::Milliseconds(200));
  std::thread traffic([&] { SendDatagrams(lab, {.count = 2000, .gap = absl::Microseconds(50)}); });
  absl::SleepFor(absl::Milliseconds(120));
  Stats stats = lab.stats();
  traffic.join();
  EXPECT_EQ(stats.held_bytes, 1u << 20);
  EXPECT_EQ(stats.held, stats.held_bytes / 4096);
}

// Datagrams every 5 ms; those that were sent from 600 ms after the blow on must all arrive, and undelayed.
void ExpectUndelayedAfter(Lab& lab, const std::function<void()>& blow) {
  lab.Delay(absl::Milliseconds(100));
  auto before = std::async([&] {
    return SendDatagrams(lab,
                         {.count = 30, .gap = absl::Milliseconds(5), .patience = absl::Milliseconds(700)});
  });
  absl::SleepFor(absl::Milliseconds(75));
  blow();
  absl::SleepFor(absl::Milliseconds(600));
  before.wait();
  Delays delays = SendDatagrams(lab, {.count = 50, .gap = absl::Milliseconds(1)});
  ASSERT_EQ(delays.wire_ms.size(), 50u);
  EXPECT_LT(delays.wire_ms.back(), 20);
}

TEST_F(PacerTest, WhenKilledTrafficGoesOn) {
  Lab lab;
  ExpectUndelayedAfter(lab, [&] { kill(lab.pacer->pid(), SIGKILL); });
  EXPECT_FALSE(lab.pacer->Alive());
  EXPECT_FALSE(lab.TapExists());
}

TEST_F(PacerTest, WhenStoppedTrafficGoesOn) {
  Lab lab;
  ExpectUndelayedAfter(lab, [&] { kill(lab.pacer->pid(), SIGSTOP); });
  EXPECT_EQ(QueryStats(lab.pacer->control_fd(), absl::Milliseconds(50)).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  kill(lab.pacer->pid(), SIGCONT);
  absl::SleepFor(absl::Milliseconds(200));
  ExpectAllDelayed(lab, {.count = 20}, 100);
  EXPECT_EQ(lab.stats().held, 0u);
}

TEST_F(PacerTest, ReleasesWhatItHoldsWhenTheAgentDies) {
  Lab lab;
  lab.Delay(absl::Milliseconds(300));
  Datagrams plan = {.count = 50, .gap = absl::Milliseconds(2), .patience = absl::Seconds(1)};
  auto delays = std::async([&] { return SendDatagrams(lab, plan); });
  absl::SleepFor(absl::Milliseconds(200));
  lab.AgentDies();
  Delays seen = delays.get();
  EXPECT_EQ(seen.wire_ms.size(), 50u);
  EXPECT_NEAR(Percentile(seen.wire_ms, 0.5), 300, 2 * TimeScale());
  EXPECT_TRUE(lab.pacer->WaitForExit(absl::Seconds(1)));
  EXPECT_EQ(lab.pacer->ending(), "exited with 0");
  EXPECT_FALSE(lab.TapExists());
  ExpectAllDelayed(lab, {.count = 5}, 0);
}

TEST_F(PacerTest, TakesItsHeartbeatBackWhenLetGo) {
  Lab lab;
  EXPECT_NE(lab.heartbeat(), 0u);
  lab.Delay(absl::Milliseconds(500));
  SendDatagrams(lab, {.count = 1, .patience = absl::Milliseconds(1)});
  lab.pacer->LetGo();
  absl::SleepFor(absl::Milliseconds(20));
  EXPECT_EQ(lab.heartbeat(), 0u);
  EXPECT_TRUE(lab.pacer->Alive());  // it holds a frame
  EXPECT_TRUE(lab.pacer->WaitForExit(absl::Seconds(1)));
}

TEST_F(PacerTest, LeavesAtOnceWhenItHoldsNothing) {
  Lab lab;
  lab.pacer->LetGo();
  EXPECT_TRUE(lab.pacer->WaitForExit(absl::Milliseconds(500)));
  EXPECT_EQ(lab.pacer->ending(), "exited with 0");
}

TEST_F(PacerTest, IsNotMovedByOrdinarySignals) {
  Lab lab;
  for (int number : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) kill(lab.pacer->pid(), number);
  lab.Delay(absl::Milliseconds(5));
  ExpectAllDelayed(lab, {.count = 50}, 5);
}

TEST_F(PacerTest, SurvivesATapThatRefuses) {
  Lab lab;
  lab.Delay(absl::Milliseconds(500));
  auto delays = std::async([&] { return SendDatagrams(lab, {.count = 20, .patience = absl::Seconds(1)}); });
  absl::SleepFor(absl::Milliseconds(100));
  EXPECT_TRUE(lab.sender.Shell("ip link set " + lab.tap->name() + " down"));
  EXPECT_TRUE(delays.get().wire_ms.empty());
  EXPECT_GE(lab.stats().refused, 20u);
  EXPECT_TRUE(lab.sender.Shell("ip link set " + lab.tap->name() + " up"));
  lab.Delay(absl::Milliseconds(100));
  ExpectAllDelayed(lab, {.count = 20}, 100);
}

TEST_F(PacerTest, LeavesWhenItsTapIsRemoved) {
  Lab lab;
  EXPECT_TRUE(lab.sender.Shell("ip link delete " + lab.tap->name()));
  EXPECT_TRUE(lab.pacer->WaitForExit(absl::Seconds(1)));
  EXPECT_EQ(lab.pacer->ending(), "exited with 1");
  ExpectAllDelayed(lab, {.count = 5}, 0);
}

TEST_F(PacerTest, DropsForeignFrames) {
  Lab lab;
  EXPECT_TRUE(lab.sender.Shell("ip route add 10.9.9.0/24 dev " + lab.tap->name()));
  SendInto(lab.sender, "10.9.9.2");
  absl::SleepFor(absl::Milliseconds(50));
  Stats stats = lab.stats();
  EXPECT_EQ(stats.bad, 1u);
  EXPECT_EQ(stats.frames_in, 1u);
}

TEST_F(PacerTest, GivesItsPrivilegesUp) {
  Lab lab;
  pid_t pid = lab.pacer->pid();
  EXPECT_EQ(StatusField(pid, "Name"), "sabot-pacer");
  EXPECT_EQ(StatusField(pid, "NoNewPrivs"), "1");
  EXPECT_EQ(StatusField(pid, "Seccomp"), "2");
  // Nothing but, where it works, CAP_SYS_NICE.
  std::string kept = lab.stats().realtime ? "0000000000800000" : "0000000000000000";
  EXPECT_EQ(StatusField(pid, "CapEff"), kept);
  EXPECT_EQ(StatusField(pid, "CapPrm"), kept);
}

TEST_F(PacerTest, CostsLittleAtRest) {
  Lab lab;
  pid_t pid = lab.pacer->pid();
  int before = std::stoi(StatusField(pid, "voluntary_ctxt_switches"));
  absl::SleepFor(absl::Seconds(1));
  int wake_ups = std::stoi(StatusField(pid, "voluntary_ctxt_switches")) - before;
  std::printf("[ figure ] at rest: VmRSS %s, %d wake-ups a second\n", StatusField(pid, "VmRSS").c_str(),
              wake_ups);
  EXPECT_LE(wake_ups, 12);
  EXPECT_LE(std::stoi(StatusField(pid, "VmRSS")), kMaxRestKilobytes);
}

TEST_F(PacerTest, GivesMemoryBackAfterABurst) {
  Lab lab;
  lab.Delay(absl::Milliseconds(100));
  SendFlows(lab, {.count = 4, .duration = absl::Milliseconds(500)});
  pid_t pid = lab.pacer->pid();
  int busy = std::stoi(StatusField(pid, "VmRSS"));
  absl::SleepFor(absl::Milliseconds(1500));
  int rest = std::stoi(StatusField(pid, "VmRSS"));
  std::printf("[ figure ] VmRSS %d kB after a burst, %d kB later\n", busy, rest);
  EXPECT_LE(rest, kMaxRestKilobytes);
}

}  // namespace
}  // namespace sabot::pacer
