// SPDX-License-Identifier: Apache-2.0
#include "agent/helper_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "absl/time/clock.h"

namespace sabot {
namespace {

using loader::UniqueFd;

// A shell in place of the helper.
HelperProcess::Options Shell(const std::string& script, std::vector<int> fds = {}) {
  return {.path = "/bin/sh", .args = {"-c", script}, .fds = std::move(fds)};
}

struct Pipe {
  Pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return;
    out.Reset(ends[0]);
    in.Reset(ends[1]);
  }
  std::string ReadAll() {
    in.Reset();
    std::string text;
    char buffer[4096];
    for (ssize_t got; (got = read(out.get(), buffer, sizeof(buffer))) > 0;) text.append(buffer, got);
    return text;
  }
  UniqueFd out, in;
};

bool Exists(pid_t pid) { return kill(pid, 0) == 0; }

TEST(HelperProcess, GetsTheGivenDescriptorsAndNoOthers) {
  UniqueFd leaked(fcntl(STDIN_FILENO, F_DUPFD, 50));  // not even close-on-exec
  Pipe first, second;
  auto helper = HelperProcess::Create(Shell("cd /proc/self/fd; echo * >&5; echo second >&5; echo first >&4",
                                            {first.in.get(), second.in.get()}));
  ASSERT_TRUE(helper.ok()) << helper.status();
  EXPECT_EQ(second.ReadAll(), "0 1 2 3 4 5 6\nsecond\n");  // 6: the shell is reading the directory
  EXPECT_EQ(first.ReadAll(), "first\n");
}

// Numbers that collide with those which the child is to see, in the worst order.
TEST(HelperProcess, MapsDescriptorsThatAreInEachOthersWay) {
  UniqueFd held[8];
  for (UniqueFd& fd : held) fd.Reset(open("/dev/null", O_RDWR | O_CLOEXEC));
  Pipe pipes[3];
  std::vector<int> fds;
  for (int i = 2; i >= 0; --i) fds.push_back(pipes[i].in.get());
  for (UniqueFd& fd : held) fd.Reset();
  std::string script = "echo $(readlink /proc/self/fd/4) >&4; readlink /proc/self/fd/5 >&5; echo c >&6";
  auto helper = HelperProcess::Create(Shell(script, fds));
  ASSERT_TRUE(helper.ok()) << helper.status();
  EXPECT_EQ(pipes[0].ReadAll(), "c\n");
  EXPECT_NE(pipes[1].ReadAll().find("pipe:"), std::string::npos);
  EXPECT_NE(pipes[2].ReadAll().find("pipe:"), std::string::npos);
}

TEST(HelperProcess, LeavesWhenLetGo) {
  auto helper = HelperProcess::Create(Shell("cat <&3; exit 7"));
  ASSERT_TRUE(helper.ok()) << helper.status();
  EXPECT_FALSE(helper->WaitForExit(absl::Milliseconds(100)));
  EXPECT_TRUE(helper->Alive());
  helper->LetGo();
  EXPECT_TRUE(helper->WaitForExit(absl::Seconds(5)));
  EXPECT_FALSE(helper->Alive());
  EXPECT_EQ(helper->ending(), "exited with 7");
}

TEST(HelperProcess, ReportsItsEndOnTheControlSocket) {
  auto helper = HelperProcess::Create(Shell("exit 0"));
  ASSERT_TRUE(helper.ok()) << helper.status();
  ASSERT_TRUE(helper->WaitForExit(absl::Seconds(5)));
  char byte;
  EXPECT_EQ(recv(helper->control_fd(), &byte, 1, 0), 0);
}

TEST(HelperProcess, IsKilledEvenWhenStopped) {
  auto helper = HelperProcess::Create(Shell("while :; do sleep 1; done"));
  ASSERT_TRUE(helper.ok()) << helper.status();
  pid_t pid = helper->pid();
  kill(pid, SIGSTOP);
  EXPECT_TRUE(helper->Alive());
  EXPECT_TRUE(helper->Kill().ok());
  EXPECT_FALSE(Exists(pid));
  EXPECT_EQ(helper->ending(), "killed by signal 9");
  EXPECT_TRUE(helper->Kill().ok());
}

TEST(HelperProcess, DiesWithItsOwner) {
  pid_t pid;
  {
    auto helper = HelperProcess::Create(Shell("while :; do sleep 1; done"));
    ASSERT_TRUE(helper.ok()) << helper.status();
    pid = helper->pid();
    HelperProcess moved = *std::move(helper);
    EXPECT_TRUE(moved.Alive());
  }
  EXPECT_FALSE(Exists(pid));
}

TEST(HelperProcess, SaysWhatCannotBeStarted) {
  auto helper = HelperProcess::Create({.path = "/no/such/program", .args = {}, .fds = {}});
  EXPECT_EQ(helper.status().code(), absl::StatusCode::kNotFound);
  EXPECT_NE(helper.status().message().find("/no/such/program"), absl::string_view::npos) << helper.status();
  auto bad = HelperProcess::Create(Shell("exit", {12345}));
  EXPECT_NE(bad.status().message().find("12345"), absl::string_view::npos) << bad.status();
}

TEST(HelperProcess, HasAStartTimeAndASession) {
  Pipe pipe;
  auto helper = HelperProcess::Create(Shell("cat /proc/$$/stat >&4; cat <&3", {pipe.in.get()}));
  ASSERT_TRUE(helper.ok()) << helper.status();
  char buffer[1024] = {};
  ASSERT_GT(read(pipe.out.get(), buffer, sizeof(buffer) - 1), 0);
  EXPECT_NE(std::string(buffer).find(" " + std::to_string(helper->start_time()) + " "), std::string::npos);
  EXPECT_EQ(getsid(helper->pid()), helper->pid());
}

// The counterpart of a terminal's Ctrl-C, or of an agent that blocks signals for its signalfd.
TEST(HelperProcess, StartsWithFreshSignals) {
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &old);
  signal(SIGPIPE, SIG_IGN);
  Pipe pipe;
  auto helper = HelperProcess::Create(Shell("grep -E 'Sig(Blk|Ign)' /proc/self/status >&4", {pipe.in.get()}));
  signal(SIGPIPE, SIG_DFL);
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  ASSERT_TRUE(helper.ok()) << helper.status();
  // The C library lets a spawned process ignore the two real-time signals of its own.
  EXPECT_EQ(pipe.ReadAll(), "SigBlk:\t0000000000000000\nSigIgn:\t0000000180000000\n");
}

TEST(HelperProcess, CanBeStartedByManyThreadsAtOnce) {
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 10; ++round) {
        Pipe pipe;
        auto helper = HelperProcess::Create(Shell("cd /proc/self/fd; echo * >&4; cat <&3", {pipe.in.get()}));
        if (!helper.ok()) continue;
        pipe.in.Reset();
        char buffer[256] = {};
        if (read(pipe.out.get(), buffer, sizeof(buffer) - 1) <= 0) continue;
        helper->LetGo();
        good += std::string(buffer).starts_with("0 1 2 3 4 5\n") && helper->WaitForExit(absl::Seconds(5));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 80);
}

}  // namespace
}  // namespace sabot
