// SPDX-License-Identifier: Apache-2.0
//
// The shim in living processes, seen from inside them.
#include "agent/clock/patched_process.h"

#include <unistd.h>

#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "loader/clock.h"
#include "tests/support/clock_victim.h"

namespace sabot::agent {
namespace {

using sabot::test::Reading;
using sabot::test::Victim;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kHour = 3600 * kSecond;
constexpr uint64_t kOwner = 0x1234567890abcdef;
constexpr clockid_t kTrueOnes[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME};

class PatchedProcessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto image = loader::OwnVdso();
    ASSERT_TRUE(image.ok()) << image.status();
    image_ = *std::move(image);
    auto shim = BuildShim(image_, kOwner);
    ASSERT_TRUE(shim.ok()) << shim.status();
    shim_ = *std::move(shim);
  }

  // The clocks of `mask` are `offset` ahead for `life`.
  static ShimSetting Ahead(uint32_t mask, int64_t offset, int64_t life = kHour, int32_t rate = 0) {
    ShimSetting setting;
    setting.mask = mask;
    for (int clock = 0; clock < kClockCount; ++clock) {
      const bool processor = clock == 2 || clock == 3;
      const int base = processor ? CLOCK_MONOTONIC : clock;
      const int sum = clock == 4 ? 2 : clock == 7 || clock == 9 ? 3 : clock == 1 || clock == 6 || processor;
      const int64_t end = static_cast<int64_t>(loader::ClockNs(base)) + life;
      setting.table.index[clock] = static_cast<uint8_t>(sum);
      ShimClock& entry = setting.table.sums[sum];
      if (entry.end_sec != 0) continue;
      const int64_t nsec = (offset % kSecond + kSecond) % kSecond;
      entry = {.end_sec = end / kSecond,
               .offset_sec = (offset - nsec) / kSecond,
               .end_nsec = static_cast<uint32_t>(end % kSecond),
               .offset_nsec = static_cast<uint32_t>(nsec),
               .rate_ppb = rate};
    }
    return setting;
  }

  PatchedProcess MustPatch(pid_t pid, const ShimSetting& setting) {
    auto process = PatchedProcess::Patch(pid, image_, shim_, setting);
    // On a busy machine threads wait for a processor to stop on.
    for (int i = 0; i < 100 && absl::IsUnavailable(process.status()); ++i) {
      process = PatchedProcess::Patch(pid, image_, shim_, setting);
    }
    EXPECT_TRUE(process.ok()) << process.status();
    return *std::move(process);
  }

  static void MustRestore(PatchedProcess& process) {
    for (int i = 0; i < 200; ++i) {
      const auto done = process.Restore();
      ASSERT_TRUE(done.ok() || absl::IsUnavailable(done.status())) << done.status();
      if (done.ok() && *done) return;
      ::usleep(1000);
    }
    FAIL() << "a thread never left the shim";
  }

  std::string VdsoOf(pid_t pid) const {
    const auto memory = loader::ProcessMemory::Open(pid);
    const auto mapping = loader::FindVdso(pid, *memory);
    return *memory->Read(mapping->address, mapping->size);
  }

  loader::VdsoImage image_;
  Shim shim_;
};

TEST_F(PatchedProcessTest, EveryClockOfTheMaskIsAheadAndNoOther) {
  for (const int64_t offset : {kHour, -kHour, int64_t{1'500'000'000}, -int64_t{600'000'000'100}}) {
    Victim victim;
    PatchedProcess process =
        MustPatch(victim.pid(), Ahead(1 << CLOCK_REALTIME | 1 << CLOCK_MONOTONIC_RAW, offset));
    for (const clockid_t clock : {CLOCK_REALTIME, CLOCK_MONOTONIC_RAW}) {
      const Reading reading = victim.ClockGettime(clock);
      EXPECT_TRUE(reading.Is(offset)) << clock << " is off by " << reading.Offset();
    }
    EXPECT_TRUE(victim.Gettimeofday().Is(offset, 1000));
    EXPECT_TRUE(victim.Time().Is(offset, kSecond));
    for (const clockid_t clock : {CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_REALTIME_COARSE}) {
      EXPECT_EQ(victim.ClockGettime(clock).Offset(), 0) << clock;
    }
    MustRestore(process);
    for (const clockid_t clock : kTrueOnes) EXPECT_EQ(victim.ClockGettime(clock).Offset(), 0) << clock;
    EXPECT_TRUE(victim.Gettimeofday().Is(0, 1000));
    EXPECT_EQ(VdsoOf(victim.pid()), image_.bytes);
  }
}

TEST_F(PatchedProcessTest, AllTenClocks) {
  Victim victim;
  PatchedProcess process = MustPatch(victim.pid(), Ahead((1 << kClockCount) - 1, kHour));
  for (clockid_t clock = 0; clock < kClockCount; ++clock) {
    timespec now{};
    // The two alarm clocks exist where the machine has a clock that can wake it.
    if (::clock_gettime(clock, &now) != 0) continue;
    const Reading reading = victim.ClockGettime(clock);
    const bool processor = clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID;
    if (processor) {
      EXPECT_GE(reading.seen, kHour) << clock;
      EXPECT_LT(reading.seen, kHour + 10 * kSecond) << clock;
    } else {
      EXPECT_TRUE(reading.Is(kHour, 10'000'000)) << clock << " is off by " << reading.Offset();
    }
  }
  MustRestore(process);
  EXPECT_LT(victim.ClockGettime(CLOCK_PROCESS_CPUTIME_ID).seen, 10 * kSecond);
}

TEST_F(PatchedProcessTest, TimeAgreesWithTheClockToTheSecond) {
  Victim victim;
  for (const int64_t offset : {kHour, int64_t{700'000'000}, -int64_t{300'000'000}}) {
    PatchedProcess process = MustPatch(victim.pid(), Ahead(1, offset));
    for (int i = 0; i < 200; ++i) {
      const int64_t before = victim.ClockGettime(CLOCK_REALTIME).seen;
      const int64_t time = victim.Time().seen;
      const int64_t after = victim.ClockGettime(CLOCK_REALTIME).seen;
      // The coarse clock is up to a tick behind.
      EXPECT_GE(time, (before - 20'000'000) / kSecond * kSecond) << offset;
      EXPECT_LE(time, after) << offset;
    }
    MustRestore(process);
  }
}

TEST_F(PatchedProcessTest, EndsByItselfOnEveryClock) {
  Victim victim;
  PatchedProcess process = MustPatch(victim.pid(), Ahead((1 << kClockCount) - 1, kHour, 2 * kSecond));
  for (const clockid_t clock : kTrueOnes) EXPECT_TRUE(victim.ClockGettime(clock).Is(kHour)) << clock;
  ::usleep(2'050'000);
  for (const clockid_t clock : kTrueOnes) EXPECT_EQ(victim.ClockGettime(clock).Offset(), 0) << clock;
  EXPECT_LT(victim.ClockGettime(CLOCK_THREAD_CPUTIME_ID).seen, 10 * kSecond);
  EXPECT_TRUE(victim.Time().Is(0, kSecond));
  EXPECT_TRUE(victim.Gettimeofday().Is(0, 1000));
  ASSERT_TRUE(process.Update(Ahead(1, -kHour)).ok());
  EXPECT_TRUE(victim.ClockGettime(CLOCK_REALTIME).Is(-kHour));
  MustRestore(process);
}

TEST_F(PatchedProcessTest, AFrozenClockStandsStillAndADriftingOneRunsAway) {
  Victim victim;
  PatchedProcess process =
      MustPatch(victim.pid(), Ahead(1 << CLOCK_MONOTONIC, 0, 3 * kSecond, -1'000'000'000));
  const int64_t frozen = victim.ClockGettime(CLOCK_MONOTONIC).seen;
  ::usleep(20'000);
  EXPECT_EQ(victim.ClockGettime(CLOCK_MONOTONIC).seen, frozen);
  ASSERT_TRUE(process.Update(Ahead(1 << CLOCK_MONOTONIC, 0, 3 * kSecond, 500'000'000)).ok());
  const Reading first = victim.ClockGettime(CLOCK_MONOTONIC);
  ::usleep(100'000);
  const Reading second = victim.ClockGettime(CLOCK_MONOTONIC);
  EXPECT_GE((second.seen - first.seen) * 2, (second.before - first.after) * 3 - 10);
  EXPECT_LE((second.seen - first.seen) * 2, (second.after - first.before) * 3 + 10);
  MustRestore(process);
}

TEST_F(PatchedProcessTest, TwoThreadsNeverSeeAMixture) {
  constexpr int64_t kA = 5 * kHour + 999'999'999, kB = -7 * kHour;
  Victim victim(2);
  PatchedProcess process = MustPatch(victim.pid(), Ahead(1, kA));
  ::usleep(20'000);
  victim.WatchFor(kA, kB);
  (void)victim.Watched();
  const uint64_t end = loader::MonotonicNs() + 700'000'000;
  int changes = 0;
  for (; loader::MonotonicNs() < end; ++changes) {
    ASSERT_TRUE(process.Update(Ahead(1, changes % 2 == 0 ? kB : kA)).ok());
  }
  const Victim::Watch watch = victim.Watched();
  EXPECT_GT(changes, 10);
  EXPECT_GT(watch.readings, 100U);
  // A reading that began before WatchFor() may be counted behind it.
  EXPECT_LE(watch.odd, 2U);
  MustRestore(process);
}

TEST_F(PatchedProcessTest, PatchesAndRestoresUnderLoad) {
  Victim victim(2);
  victim.WatchFor(0, kHour);
  for (int i = 0; i < 60; ++i) {
    auto process = PatchedProcess::Patch(victim.pid(), image_, shim_, Ahead(1, kHour));
    for (int tries = 0; absl::IsUnavailable(process.status()) && tries < 100; ++tries) {
      process = PatchedProcess::Patch(victim.pid(), image_, shim_, Ahead(1, kHour));
    }
    ASSERT_TRUE(process.ok()) << process.status();
    ASSERT_TRUE(victim.ClockGettime(CLOCK_REALTIME).Is(kHour));
    MustRestore(*process);
    ASSERT_EQ(victim.ClockGettime(CLOCK_REALTIME).Offset(), 0);
  }
  const Victim::Watch watch = victim.Watched();
  EXPECT_GT(watch.readings, 100U);
  EXPECT_EQ(watch.odd, 0U);
  EXPECT_EQ(VdsoOf(victim.pid()), image_.bytes);
}

TEST_F(PatchedProcessTest, AChildInheritsAndIsAdoptedWithoutBeingStopped) {
  Victim victim;
  PatchedProcess parent = MustPatch(victim.pid(), Ahead(1, kHour));
  const pid_t child = victim.Fork();
  EXPECT_TRUE(victim.ClockGettime(CLOCK_REALTIME).Is(kHour));
  PatchedProcess adopted = MustPatch(child, Ahead(1, 2 * kHour));
  EXPECT_TRUE(adopted.inherited());
  EXPECT_TRUE(victim.ClockGettime(CLOCK_REALTIME).Is(2 * kHour));
  MustRestore(adopted);
  EXPECT_EQ(victim.ClockGettime(CLOCK_REALTIME).Offset(), 0);
  EXPECT_EQ(VdsoOf(child), image_.bytes);
  EXPECT_NE(VdsoOf(victim.pid()), image_.bytes);
  MustRestore(parent);
}

TEST_F(PatchedProcessTest, LeavesWhatSomebodyElseChanged) {
  Victim victim;
  PatchedProcess process = MustPatch(victim.pid(), Ahead(1, kHour));
  const auto other = BuildShim(image_, kOwner + 1);
  ASSERT_TRUE(other.ok());
  const auto refused = PatchedProcess::Patch(victim.pid(), image_, *other, Ahead(1, 2 * kHour));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition) << refused.status();
  EXPECT_TRUE(victim.ClockGettime(CLOCK_REALTIME).Is(kHour));
  bool found = true;
  EXPECT_TRUE(RestoreForeign(victim.pid(), shim_, kOwner + 1, found).value());
  EXPECT_FALSE(found);
  for (int i = 0; i < 200 && !*RestoreForeign(victim.pid(), shim_, kOwner, found); ++i) ::usleep(1000);
  EXPECT_TRUE(found);
  EXPECT_EQ(victim.ClockGettime(CLOCK_REALTIME).Offset(), 0);
  EXPECT_EQ(VdsoOf(victim.pid()), image_.bytes);
}

TEST_F(PatchedProcessTest, AProcessThatIsGoneIsNotFound) {
  auto victim = std::make_unique<Victim>();
  const pid_t pid = victim->pid();
  PatchedProcess process = MustPatch(pid, Ahead(1, kHour));
  victim.reset();
  EXPECT_TRUE(absl::IsNotFound(process.Update(Ahead(1, 2 * kHour))));
  EXPECT_TRUE(absl::IsNotFound(process.Restore().status()));
  EXPECT_TRUE(absl::IsNotFound(PatchedProcess::Patch(pid, image_, shim_, Ahead(1, kHour)).status()));
}

}  // namespace
}  // namespace sabot::agent
