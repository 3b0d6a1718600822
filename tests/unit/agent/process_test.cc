// SPDX-License-Identifier: Apache-2.0
#include "agent/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "tests/unit/agent/child.h"

namespace sabot::agent {
namespace {

std::string StatWith(const std::string& command) {
  return "4242 (" + command + ") S 1 4242 4242 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 123 4 5 6\n";
}

TEST(ProcessStat, IsRead) {
  auto stat = ParseProcessStat(StatWith("nginx"));
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->command, "nginx");
  EXPECT_EQ(stat->state, 'S');
  EXPECT_EQ(stat->start_time, 987654u);
}

TEST(ProcessStat, IsReadWhateverTheProcessCallsItself) {
  for (const char* name : {"a b", ") R 1 1 (", "((", "", "\n) Z 1", "x) S 1 2 3"}) {
    auto stat = ParseProcessStat(StatWith(name));
    ASSERT_TRUE(stat) << name;
    EXPECT_EQ(stat->command, name);
    EXPECT_EQ(stat->start_time, 987654u);
  }
}

TEST(ProcessStat, ThatIsNoneIsRefused) {
  for (const char* text : {"", "4242", "4242 (x", ")x(", "4242 (x) S 1 2", "4242 (x)",
                           "4242 (x) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 nonsense 20"}) {
    EXPECT_FALSE(ParseProcessStat(text)) << text;
  }
}

TEST(Process, IsOpenedWithItsNameAndStart) {
  auto self = OpenProcess(getpid());
  ASSERT_TRUE(self.ok()) << self.status();
  EXPECT_GT(self->start_time, 0u);
  EXPECT_THAT(self->command, testing::StartsWith("agent_"));
  EXPECT_TRUE(IsAlive(*self));
}

TEST(Process, EndsForGood) {
  Child child([] { return true; });
  auto process = OpenProcess(child.pid());
  ASSERT_TRUE(process.ok()) << process.status();
  EXPECT_TRUE(IsAlive(*process));
  child.Kill();
  EXPECT_FALSE(IsAlive(*process));
  EXPECT_EQ(OpenProcess(process->pid).status().message(), "no process " + std::to_string(process->pid));
}

TEST(Process, ThatIsAZombieHasEnded) {
  Child child([] { return true; });
  ::kill(child.pid(), SIGKILL);
  for (int i = 0; i < 1000 && ReadProcessStat(child.pid())->state != 'Z'; ++i) ::usleep(1000);
  absl::Status status = OpenProcess(child.pid()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(status.message(), testing::HasSubstr("has ended"));
}

TEST(Process, IsNotAThread) {
  std::thread([] {
    absl::Status status = OpenProcess(static_cast<pid_t>(::syscall(SYS_gettid))).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
    EXPECT_THAT(status.message(), testing::HasSubstr("it is a thread"));
  }).join();
}

}  // namespace
}  // namespace sabot::agent
