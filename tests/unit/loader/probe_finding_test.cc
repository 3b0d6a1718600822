// SPDX-License-Identifier: Apache-2.0
#include "loader/probe_finding.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <thread>

#include "loader/probe_program.h"
#include "tests/unit/loader/testbed.h"

namespace sabot::loader {
namespace {

TEST(Finding, ErrnosAreSortedByMeaning) {
  EXPECT_EQ(Failed("try", EINVAL, {EINVAL}, kBpf).answer, Answer::kNo);
  EXPECT_EQ(Failed("try", EINVAL, {}, kBpf).answer, Answer::kUnknown);
  EXPECT_EQ(Failed("try", ENOMEM, {EINVAL}, kBpf).answer, Answer::kUnknown);
  EXPECT_EQ(Failed("try", EMFILE, {EINVAL}, kBpf).answer, Answer::kUnknown);
  EXPECT_EQ(Failed("try", EPERM, {EINVAL}, kBpf).answer, Answer::kDenied);
  EXPECT_EQ(Failed("try", EACCES, {EINVAL}, kBpf).answer, Answer::kDenied);
  EXPECT_EQ(Failed("try", EINVAL, {EINVAL}, kBpf).reason, "try: Invalid argument");
  EXPECT_EQ(Failed("try", 524, {524}, kBpf).reason, "try: Operation is not supported (ENOTSUPP)");
}

TEST(Finding, StatusesAreSortedByCode) {
  EXPECT_EQ(Failed(absl::UnimplementedError("try: none"), kNetAdmin).answer, Answer::kNo);
  EXPECT_EQ(Failed(absl::PermissionDeniedError("try: refused"), kNetAdmin).answer, Answer::kDenied);
  EXPECT_EQ(Failed(absl::ResourceExhaustedError("try: full"), kNetAdmin).answer, Answer::kUnknown);
  EXPECT_EQ(Failed(absl::NotFoundError("try: gone"), kNetAdmin).answer, Answer::kUnknown);
  EXPECT_EQ(Failed(absl::UnimplementedError("try: none"), kNetAdmin).reason, "try: none");
}

TEST(Finding, AMissingDeviceFileIsToldFromAMissingDriver) {
  std::ifstream devices("/proc/misc");
  std::string number, registered;
  ASSERT_TRUE(devices >> number >> registered) << "no driver at all";
  Finding file = DeviceFailed("/dev/some", registered.c_str(), ENOENT, kNetAdmin);
  EXPECT_EQ(file.answer, Answer::kNo);
  EXPECT_EQ(file.reason,
            "open /dev/some: No such file or directory, though the kernel has the device: the file is "
            "missing where "
            "this process runs");
  Finding driver = DeviceFailed("/dev/none", "sabot-none", ENOENT, kNetAdmin);
  EXPECT_EQ(driver.answer, Answer::kNo);
  EXPECT_EQ(driver.reason, "open /dev/none: No such file or directory");
  EXPECT_EQ(DeviceFailed("/dev/none", "none", EMFILE, kNetAdmin).answer, Answer::kUnknown);
}

TEST(Finding, CapabilitiesAreCompared) {
  EXPECT_EQ(Missing(kNetAdmin, kNetAdmin), 0u);
  EXPECT_EQ(Missing(kNetAdmin, kBpfNetwork), kBpf);
  EXPECT_EQ(Missing(kSysAdmin, kBpfTracing), 0u) << "CAP_SYS_ADMIN stands for both";
  EXPECT_EQ(Missing(kSysAdmin, kNetAdmin), kNetAdmin) << "but not for this one";
  EXPECT_EQ(CapabilityNames(kBpfTracing), "CAP_BPF and CAP_PERFMON");
  EXPECT_EQ(CapabilityNames(kNoCapability), "");
}

TEST(Finding, DeniedSaysThatNothingIsLacking) {
  ASSERT_EQ(Missing(EffectiveCapabilities(), kBpfTracing | kNetAdmin), 0u) << "these tests run as root";
  EXPECT_EQ(Denied("try", EPERM, kBpfTracing).reason,
            "try: Operation not permitted although CAP_BPF and CAP_PERFMON are held");
  EXPECT_EQ(Denied("try", EACCES, kNetAdmin).reason, "try: Permission denied although CAP_NET_ADMIN is held");
  EXPECT_EQ(Denied("try", EPERM, kNoCapability).reason, "try: Operation not permitted");
}

// Runs `body` on a thread of its own that has only `left` of its capabilities.
template <typename Body>
void WithCapabilities(Capabilities left, Body body) {
  std::thread([&] {
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    __user_cap_data_struct data[2] = {};
    ASSERT_EQ(::syscall(SYS_capget, &header, data), 0);
    data[0].effective &= static_cast<uint32_t>(left);
    data[1].effective &= static_cast<uint32_t>(left >> 32);
    ASSERT_EQ(::syscall(SYS_capset, &header, data), 0);
    body();
  }).join();
}

TEST(Finding, DeniedSaysWhatIsLacking) {
  WithCapabilities(kBpf, [] {
    EXPECT_EQ(EffectiveCapabilities(), kBpf);
    EXPECT_EQ(
        Denied("try", EPERM, kBpfNetwork).reason,
        "try: Operation not permitted: needs CAP_NET_ADMIN, which this process does not have; run as root");
  });
}

TEST(Features, WithoutCapabilitiesAreDeniedAndSayWhich) {
  WithCapabilities(kNoCapability, [] {
    Features features = Features::Probe();
    for (Feature feature :
         {Feature::kTc, Feature::kTcx, Feature::kClsact, Feature::kFq, Feature::kTun, Feature::kIfb,
          Feature::kCgroupSkb, Feature::kSkLookup, Feature::kFuse, Feature::kFanotifyPermission}) {
      const Finding& finding = features.Get(feature);
      EXPECT_EQ(finding.answer, Answer::kDenied) << FeatureName(feature) << ": " << finding.reason;
      EXPECT_NE(finding.reason.find("needs CAP_"), std::string::npos) << finding.reason;
      EXPECT_NE(finding.reason.find("which this process does not have; run as root"), std::string::npos)
          << finding.reason;
    }
  });
}

TEST(Features, WithoutNetAdminSayNetAdmin) {
  WithCapabilities(kSysAdmin, [] {
    Features features = Features::Probe();
    const Finding& finding = features.Get(Feature::kClsact);
    EXPECT_EQ(finding.answer, Answer::kDenied) << finding.reason;
    EXPECT_NE(finding.reason.find("needs CAP_NET_ADMIN,"), std::string::npos) << finding.reason;
  });
}

TEST(VerifierLog, LastWordsComeBeforeTheStatistics) {
  EXPECT_EQ(LastWords("0: (85) call bpf_x#9\nunknown func bpf_x#9\nprocessed 1 insns (limit 1000000)\n"),
            "unknown func bpf_x#9");
  EXPECT_EQ(LastWords(""), "");
  EXPECT_EQ(LastWords("processed 0 insns\n"), "");
}

TEST(VerifierLog, MissingFunctionsAreRecognised) {
  EXPECT_TRUE(LogSaysNoSuchFunction("unknown func bpf_override_return#58"));
  EXPECT_TRUE(LogSaysNoSuchFunction("invalid func unknown#181"));
  EXPECT_TRUE(LogSaysNoSuchFunction("program of this type cannot use helper bpf_x#9"));
  EXPECT_TRUE(LogSaysNoSuchFunction("calling kernel function bpf_x is not allowed"));
  EXPECT_FALSE(LogSaysNoSuchFunction("R1 type=ctx expected=fp"));
}

TEST(LoadFailed, AVerdictOnOurProgramIsNotAnAnswer) {
  ProbeProgram program{.what = "a program"};
  EXPECT_EQ(LoadFailed(program, {.error = EACCES, .log = "R1 type=ctx expected=fp"}).answer,
            Answer::kUnknown);
  EXPECT_EQ(LoadFailed(program, {.error = EACCES}).answer, Answer::kDenied);
  EXPECT_EQ(LoadFailed(program, {.error = EPERM}).answer, Answer::kDenied);
  EXPECT_EQ(LoadFailed(program, {.error = EINVAL}).answer, Answer::kNo);
  EXPECT_EQ(LoadFailed(program, {.error = ENOMEM}).answer, Answer::kUnknown);
  EXPECT_EQ(LoadFailed(program, {.error = EINVAL, .log = "unknown func x"}).reason,
            "load a program: Invalid argument (unknown func x)");
}

}  // namespace
}  // namespace sabot::loader
