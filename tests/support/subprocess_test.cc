// SPDX-License-Identifier: Apache-2.0
#include "tests/support/subprocess.h"

#include <signal.h>
#include <unistd.h>

#include "gtest/gtest.h"
#include "tests/support/clock.h"
#include "tests/support/sabot_cli.h"
#include "tests/support/statistics.h"
#include "tests/support/temp_dir.h"

namespace sabot::test {
namespace {

TEST(Subprocess, TellsOutputErrorsAndExitCode) {
  Finished finished = RunCommand({.argv = {"sh", "-c", "echo out; echo err >&2; exit 3"}});
  EXPECT_EQ(finished.exit_code, 3);
  EXPECT_EQ(finished.out, "out");
  EXPECT_EQ(finished.err, "err\n");
  EXPECT_FALSE(finished.timed_out);
}

TEST(Subprocess, ShowsLinesWhileItRuns) {
  Subprocess process({.argv = {"sh", "-c", "echo first; sleep 0.2; echo second; sleep 60"}});
  size_t from = 0;
  auto any = [](const std::string&) { return true; };
  EXPECT_EQ(process.WaitLine(from, any, absl::Seconds(5)), "first");
  EXPECT_EQ(process.WaitLine(from, any, absl::Seconds(5)), "second");
  EXPECT_EQ(process.WaitLine(from, any, absl::Milliseconds(50)), std::nullopt);
  EXPECT_TRUE(process.running());
}

TEST(Subprocess, EndsAtTheTimeOutWithItsChildren) {
  int64_t start_ns = NowNs();
  Finished finished = Subprocess({.argv = {"sh", "-c", "sleep 60 & wait"}}).Wait(absl::Milliseconds(200));
  EXPECT_TRUE(finished.timed_out);
  EXPECT_EQ(finished.exit_code, 128 + SIGKILL);
  EXPECT_LT(NowNs() - start_ns, 5'000'000'000);
}

TEST(Subprocess, NoticesACrash) {
  EXPECT_EQ(RunCommand({.argv = {"sh", "-c", "kill -SEGV $$"}}).exit_code, 128 + SIGSEGV);
}

TEST(Subprocess, GivesATerminalWhenAsked) {
  EXPECT_EQ(RunCommand({.argv = {"sh", "-c", "test -t 1 && echo yes"}, .terminal = true}).out, "yes\r");
  EXPECT_EQ(RunCommand({.argv = {"sh", "-c", "test -t 1 || echo no"}}).out, "no");
}

TEST(Subprocess, PassesEnvironmentAndInput) {
  Finished finished =
      RunCommand({.argv = {"sh", "-c", "cat; echo $WORD"}, .env = {{"WORD", "b"}}, .input = "a\n"});
  EXPECT_EQ(finished.out, "a\nb");
}

TEST(Jail, TakesAwayBpf) {
  Finished with = RunCommand({.argv = {"bpftool", "prog", "show"}});
  Finished without = RunCommand({.argv = {JailBinary(), "--no-bpf", "--", "bpftool", "prog", "show"}});
  EXPECT_EQ(with.exit_code, 0) << with.err;
  EXPECT_NE(without.exit_code, 0) << without.out;
}

TEST(Jail, HidesTheKernelsBtfAndOnlyInside) {
  EXPECT_EQ(RunCommand({.argv = {JailBinary(), "--hide-btf", "--", "ls", "/sys/kernel/btf"}}).out, "");
  EXPECT_EQ(::access("/sys/kernel/btf/vmlinux", R_OK), 0);
}

TEST(Jail, FillsADisk) {
  TempDir directory;
  std::string file = directory.path() + "/x";
  Finished finished = RunCommand({.argv = {JailBinary(), "--full-disk", directory.path(), "--", "dd",
                                           "if=/dev/zero", "of=" + file, "count=1"}});
  EXPECT_NE(finished.exit_code, 0);
  EXPECT_NE(finished.err.find("No space left"), std::string::npos) << finished.err;
  EXPECT_NE(::access(file.c_str(), F_OK), 0) << "the small disk is visible outside";
}

TEST(Jail, DropsRoot) {
  EXPECT_EQ(RunCommand({.argv = {JailBinary(), "--nobody", "--", "id", "-u"}}).out, "65534");
}

TEST(Statistics, BoundsAreFiveStandardDeviations) {
  Bounds bounds = BinomialBounds(2000, 0.3);
  EXPECT_EQ(bounds.low, 498);  // 600 - 5 * sqrt(420) = 497.5
  EXPECT_EQ(bounds.high, 702);
  EXPECT_FALSE(bounds.Contains(497));
  EXPECT_EQ(BinomialBounds(100, 1).low, 100);
  EXPECT_EQ(BinomialBounds(100, 0).high, 0);
}

TEST(Statistics, PercentileIsTheNearestRank) {
  EXPECT_EQ(Percentile({5, 1, 3, 2, 4}, 0.5), 3);
  EXPECT_EQ(Percentile({5, 1, 3, 2, 4}, 0), 1);
  EXPECT_EQ(Percentile({5, 1, 3, 2, 4}, 1), 5);
  EXPECT_EQ(Percentile({}, 0.5), 0);
}

}  // namespace
}  // namespace sabot::test
