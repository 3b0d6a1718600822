// SPDX-License-Identifier: Apache-2.0
//
// What the object Features promises, whatever the kernel.
#include "loader/probe.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

#include "tests/unit/loader/testbed.h"

namespace sabot::loader {
namespace {

TEST(FeatureTable, NamesAreUniqueAndFoundAgain) {
  std::set<std::string_view> names;
  for (const FeatureInfo& info : AllFeatures()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_EQ(FeatureByName(info.name), info.feature);
    EXPECT_EQ(FeatureName(info.feature), info.name);
    EXPECT_FALSE(info.purpose.empty()) << info.name;
    EXPECT_FALSE(info.since.empty()) << info.name;
  }
  EXPECT_EQ(FeatureByName("no-such-thing"), std::nullopt);
}

TEST(Features, EveryAnswerIsConclusiveAndExplained) {
  Features features = Features::Probe();
  for (const FeatureInfo& info : AllFeatures()) {
    const Finding& finding = features.Get(info.feature);
    RecordProperty(std::string(info.name), std::string(AnswerName(finding.answer)) + ": " + finding.reason);
    EXPECT_NE(finding.answer, Answer::kUnknown) << info.name << ": " << finding.reason;
    EXPECT_GT(finding.reason.size(), 10u) << info.name;
    EXPECT_NE(finding.reason.back(), '.') << finding.reason;
    EXPECT_EQ(finding.reason.find('\n'), std::string::npos) << finding.reason;
  }
}

TEST(Features, ANoSaysWhereLinuxHasIt) {
  Features features = Features::Probe();
  for (const FeatureInfo& info : AllFeatures()) {
    const Finding& finding = features.Get(info.feature);
    if (finding.answer != Answer::kNo) continue;
    EXPECT_NE(finding.reason.find("(Linux has it since " + std::string(info.since) + ")"), std::string::npos)
        << finding.reason;
  }
}

bool Emulated() {
  std::ifstream file("/proc/cpuinfo");
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return text.find("QEMU TCG") != text.npos;
}

// The probes' own work: what the scheduler gives to others does not count. An emulated processor is 10 to 20
// times slower.
TEST(Features, AllProbesTogetherTakeLittle) {
  rusage before{};
  ::getrusage(RUSAGE_THREAD, &before);
  Features features = Features::Probe();
  for (const FeatureInfo& info : AllFeatures()) features.Get(info.feature);
  rusage after{};
  ::getrusage(RUSAGE_THREAD, &after);
  auto ms = [](const rusage& usage) {
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
  };
  EXPECT_LT(ms(after) - ms(before), Emulated() ? 6000 : 300);
}

TEST(Features, DisabledOnesAreNotProbed) {
  absl::StatusOr<Features> features = Features::Probe({.disabled = {"bpf", "tcx"}});
  ASSERT_OK(features);
  EXPECT_EQ(features->Get(Feature::kBpf).answer, Answer::kNo);
  EXPECT_EQ(features->Get(Feature::kBpf).reason, "turned off by --no-feature bpf");
  EXPECT_FALSE(features->Has(Feature::kTcx));
  EXPECT_TRUE(features->Has(Feature::kCgroupV2) || features->Get(Feature::kCgroupV2).reason[0] == 'n');
  features->Forget();
  EXPECT_EQ(features->Get(Feature::kBpf).reason, "turned off by --no-feature bpf");
}

TEST(Features, UnknownNamesAreRefusedByName) {
  absl::Status status = Features::Probe({.disabled = {"tcx", "tcy"}}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_NE(status.message().find("\"tcy\""), absl::string_view::npos) << status;
}

TEST(Features, GivenAnswersAreKeptAndNothingIsProbed) {
  Features features = Features::Of({{Feature::kFq, {Answer::kDenied, "said so"}}});
  EXPECT_EQ(features.Get(Feature::kFq).answer, Answer::kDenied);
  EXPECT_EQ(features.Get(Feature::kFq).reason, "said so");
  EXPECT_EQ(features.Get(Feature::kBpf).answer, Answer::kUnknown);
  features.Forget();
  EXPECT_EQ(features.Get(Feature::kFq).reason, "said so");
}

TEST(Features, ConclusiveAnswersAreKept) {
  Features features = Features::Probe();
  const Finding* first = &features.Get(Feature::kBpf);
  ASSERT_EQ(first->answer, Answer::kYes) << first->reason;
  // A second probe would fail for want of descriptors.
  rlimit old{};
  ::getrlimit(RLIMIT_NOFILE, &old);
  rlimit none{.rlim_cur = 0, .rlim_max = old.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &none);
  const Finding* second = &features.Get(Feature::kBpf);
  ::setrlimit(RLIMIT_NOFILE, &old);
  EXPECT_EQ(first, second);
  EXPECT_EQ(second->answer, Answer::kYes);
}

TEST(Features, UnknownAnswersAreAskedForAgain) {
  Features features = Features::Probe();
  rlimit old{};
  ::getrlimit(RLIMIT_NOFILE, &old);
  rlimit none{.rlim_cur = 0, .rlim_max = old.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &none);
  std::map<Feature, Finding> starved;
  for (const FeatureInfo& info : AllFeatures()) starved[info.feature] = features.Get(info.feature);
  ::setrlimit(RLIMIT_NOFILE, &old);
  size_t unknown = 0;
  for (const auto& [feature, finding] : starved) {
    if (finding.answer == Answer::kUnknown) ++unknown;
    // A few can be told without a descriptor.
    const Finding& later = features.Get(feature);
    EXPECT_TRUE(finding.answer == Answer::kUnknown || finding.answer == later.answer)
        << FeatureName(feature) << " was " << finding.reason << ", then " << later.reason;
  }
  EXPECT_GT(unknown, AllFeatures().size() / 2);
  EXPECT_EQ(features.Get(Feature::kBpf).answer, Answer::kYes);
}

TEST(Features, MissingBtfTakesWhatHangsOnItAlong) {
  absl::StatusOr<Features> features = Features::Probe({.btf_path = "/nonexistent/btf"});
  ASSERT_OK(features);
  for (Feature feature : {Feature::kBtf, Feature::kFentry, Feature::kFmodRetSecurity, Feature::kBpfLsm,
                          Feature::kTpBtf, Feature::kTaskWork, Feature::kTaskFileIter}) {
    const Finding& finding = features->Get(feature);
    EXPECT_EQ(finding.answer, Answer::kNo) << FeatureName(feature) << ": " << finding.reason;
    EXPECT_EQ(finding.reason.find("read /nonexistent/btf: No such file or directory"), 0u) << finding.reason;
  }
  EXPECT_TRUE(features->Has(Feature::kBpf));
}

TEST(Features, RubbishForBtfIsNoCrash) {
  std::filesystem::path path = testing::TempDir() + "sabot-btf-" + std::to_string(::getpid());
  std::ofstream(path) << "this is not BTF";
  absl::StatusOr<Features> features = Features::Probe({.btf_path = path});
  ASSERT_OK(features);
  EXPECT_EQ(features->Get(Feature::kBtf).answer, Answer::kUnknown) << features->Get(Feature::kBtf).reason;
  EXPECT_FALSE(features->Has(Feature::kTpBtf));
  std::filesystem::remove(path);
}

// What of the machine a probe could leave something on, line by line.
std::set<std::string> MachineState() {
  absl::StatusOr<Netns> self = Netns::OpenSelf();
  if (!self.ok()) return {};
  std::istringstream lines(
      RunIn(*self,
            "ip -o link | cut -d: -f2; tc qdisc show; cat /proc/self/mounts; cat /proc/sys/kernel/tainted;"
            "find /sys/fs/cgroup -name 'sabot-probe-" +
                std::to_string(::getpid()) +
                "*'; ls /sys/fs/fuse/connections 2>/dev/null; cat /sys/kernel/debug/kprobes/list 2>/dev/null")
          .output);
  std::set<std::string> state;
  for (std::string line; std::getline(lines, line);) state.insert(line);
  return state;
}

// What is there now and was not before. Tests that run at the same time make things too, but not for long.
std::set<std::string> NewSince(const std::set<std::string>& before) {
  std::set<std::string> fresh;
  for (int attempt = 0; attempt < 50; ++attempt) {
    fresh = MachineState();
    for (const std::string& line : before) fresh.erase(line);
    if (fresh.empty()) break;
    ::usleep(100'000);
  }
  return fresh;
}

TEST(Features, ProbesLeaveNothing) {
  std::set<std::string> machine = MachineState();
  std::set<std::string> open = OpenDescriptors();
  uint64_t home = Netns::OpenSelf()->inode();
  {
    Features features = Features::Probe();
    for (const FeatureInfo& info : AllFeatures()) features.Get(info.feature);
    EXPECT_EQ(OpenDescriptors(), open) << "while the answers are kept";
  }
  EXPECT_EQ(OpenDescriptors(), open);
  EXPECT_THAT(NewSince(machine), testing::IsEmpty());
  EXPECT_EQ(Netns::OpenSelf()->inode(), home);
}

}  // namespace
}  // namespace sabot::loader
