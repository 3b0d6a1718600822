// SPDX-License-Identifier: Apache-2.0
#include "controller/api/syscall_chaos.h"

#include <seccomp.h>

#include <cerrno>
#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/api/manifests.h"

namespace sabot::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A SyscallChaos that is in order, with these fields instead of, or beside, its own (flow style).
std::string With(const std::string& fields) {
  std::string spec;
  const std::pair<const char*, const char*> own[] = {
      {"action", "errno"}, {"syscalls", "[openat]"}, {"errno", "EIO"}};
  for (const auto& [name, value] : own) {
    if (fields.find(StrCat(name, ":")) == fields.npos) StrAppend(spec, ", ", name, ": ", value);
  }
  return StrCat("{apiVersion: sabot.dev/v1alpha1, kind: SyscallChaos, metadata: {name: t}, spec: ",
                "{mode: all, selector: {labelSelectors: {app: web}}", spec, fields.empty() ? "" : ", ",
                fields, "}}");
}

SyscallChaosSpec Spec(const std::string& fields) {
  const Manifests manifests = ParseManifests(With(fields), "test.yaml");
  EXPECT_THAT(ProblemsOf(manifests, Severity::kError), IsEmpty()) << fields;
  if (manifests.experiments.empty()) return {};
  return std::get<SyscallChaosSpec>(manifests.experiments.front().spec);
}

std::vector<std::string> Errors(const std::string& fields) { return ErrorsOf(With(fields)); }

TEST(SyscallChaos, HasDefaults) {
  const SyscallChaosSpec spec = Spec("");
  EXPECT_THAT(spec.syscalls, ElementsAre("openat"));
  EXPECT_EQ(spec.error, EIO);
  EXPECT_EQ(spec.percent, 100);
  EXPECT_EQ(spec.skip, 0);
  EXPECT_EQ(spec.times, 0);
  EXPECT_TRUE(spec.args.empty() && spec.container_names.empty());
}

TEST(SyscallChaos, TakesErrorsByNameAndNumber) {
  EXPECT_EQ(Spec("errno: ENOSPC").error, ENOSPC);
  EXPECT_EQ(Spec("errno: 28").error, ENOSPC);
  EXPECT_EQ(Spec("errno: '28'").error, ENOSPC);
  EXPECT_EQ(Spec("errno: EHWPOISON").error, EHWPOISON);
  for (const char* bad : {"0", "-5", "41", "134", "99999999999999999999", "EOOPS", "eio", "''"}) {
    EXPECT_THAT(Errors(StrCat("errno: ", bad)), ElementsAre(HasSubstr("spec.errno: "))) << bad;
  }
  EXPECT_THAT(Errors("errno: [EIO]"), ElementsAre(HasSubstr("spec.errno: must be the name of an error")));
  EXPECT_THAT(Errors("errno: 5.0"), ElementsAre(HasSubstr("spec.errno: must be")));
}

TEST(SyscallChaos, KnowsItsCalls) {
  EXPECT_THAT(Errors("syscalls: [opnat]"),
              ElementsAre(HasSubstr("spec.syscalls: \"opnat\" is no system call of x86")));
  EXPECT_THAT(Errors("syscalls: [exit_group]"), ElementsAre(HasSubstr("never returns")));
  EXPECT_THAT(Errors("syscalls: [\"%disk\"]"),
              ElementsAre(HasSubstr("is no group; there are %file, %memory, %network")));
  EXPECT_THAT(Errors("syscalls: [openat, openat]"), ElementsAre(HasSubstr("is there twice")));
  EXPECT_THAT(Errors("syscalls: []"), ElementsAre(HasSubstr("at least one")));
  EXPECT_THAT(Errors("syscalls: openat"), ElementsAre(HasSubstr("spec.syscalls")));
  EXPECT_THAT(Spec("syscalls: [mmap2, \"%file\"]").syscalls, ElementsAre("mmap2", "%file"));
}

TEST(SyscallChaos, BoundsItsNumbers) {
  EXPECT_EQ(Spec("percent: 0").percent, 0);
  for (const char* bad : {"percent: -1", "percent: 101", "percent: 1.5", "skip: -1", "times: -1"}) {
    EXPECT_THAT(Errors(bad), ElementsAre(HasSubstr("spec."))) << bad;
  }
  EXPECT_THAT(Errors("action: break"), ElementsAre(HasSubstr("spec.action")));
  EXPECT_THAT(Errors("latency: 10ms"), ElementsAre(HasSubstr("latency")));
}

TEST(SyscallChaos, ReadsConditions) {
  const SyscallChaosSpec spec = Spec(
      "args: [{index: 2, op: '&', value: 0x41}, {index: 0, value: -100}, {index: 1, op: '<', value: "
      "'18446744073709551615'}, {index: 5, op: '!=', value: 7, width: 32}]");
  ASSERT_EQ(spec.args.size(), 4u);
  EXPECT_EQ(spec.args[0].op, ArgumentOperator::kHasBits);
  EXPECT_EQ(spec.args[0].number, 0x41u);
  EXPECT_EQ(spec.args[0].width, 64);
  EXPECT_EQ(spec.args[1].op, ArgumentOperator::kEqual);
  EXPECT_EQ(spec.args[1].number, 0xffffff9cu);
  EXPECT_EQ(spec.args[1].width, 32);
  EXPECT_EQ(spec.args[2].number, UINT64_MAX);
  EXPECT_EQ(spec.args[3].width, 32);
}

TEST(SyscallChaos, RefusesConditionsThatCannotBe) {
  for (const char* bad :
       {"{index: 6, value: 1}", "{index: -1, value: 1}", "{value: 1}", "{index: 0}", "{index: 0, value: x}",
        "{index: 0, value: 1.5}", "{index: 0, op: '<', value: -1}", "{index: 0, op: '=~', value: 1}",
        "{index: 0, value: 1, width: 16}", "{index: 0, value: 4294967296, width: 32}",
        "{index: 0, value: 99999999999999999999}", "{index: 0, value: 1, wdth: 32}",
        "{index: 0, value: 0x}"}) {
    EXPECT_THAT(Errors(StrCat("args: [", bad, "]")), ElementsAre(HasSubstr("spec.args[0]"))) << bad;
  }
  EXPECT_THAT(Errors("args: {index: 0}"), ElementsAre(HasSubstr("spec.args: must be a list")));
  EXPECT_THAT(
      Errors("args: [{index: 0, value: 1}, {index: 0, value: 1}, {index: 0, value: 1}, {index: 0, value: 1}, "
             "{index: 0, value: 1}]"),
      ElementsAre(HasSubstr("at most 4")));
}

// The groups are ours, the names are libseccomp's.
TEST(SyscallGroups, HoldRealCallsOnceEach) {
  EXPECT_THAT(SyscallGroups(), ElementsAre("%file", "%memory", "%network"));
  for (const std::string& group : SyscallGroups()) {
    const std::vector<std::string> calls = SyscallGroup(group);
    EXPECT_GE(calls.size(), 15u) << group;
    EXPECT_EQ(std::set<std::string>(calls.begin(), calls.end()).size(), calls.size()) << group;
    for (const std::string& call : calls) {
      EXPECT_GE(seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, call.c_str()), 0)
          << group << ": " << call;
    }
  }
  EXPECT_TRUE(SyscallGroup("%none").empty());
  EXPECT_TRUE(SyscallGroup("openat").empty());
}

}  // namespace
}  // namespace sabot::api
