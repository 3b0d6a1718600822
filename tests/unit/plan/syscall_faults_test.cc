// SPDX-License-Identifier: Apache-2.0
//
// SyscallChaos → faults.
#include <cerrno>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/plan/planning.h"

namespace sabot::plan {
namespace {

using sabot::v1::SyscallFault;
using testing::ElementsAre;
using testing::HasSubstr;

std::string SyscallChaos(const std::string& fields, const std::string& app = "client") {
  return api::StrCat(
      "{apiVersion: sabot.dev/v1alpha1, kind: SyscallChaos, metadata: {name: test, namespace: demo}, ",
      "spec: {mode: all, selector: {labelSelectors: {app: ", app, "}}, action: errno, errno: EIO, ", fields,
      "}}\n");
}

TEST(PlanSyscall, MakesOneFaultPerEntry) {
  const PlanResult result =
      PlanYaml(SyscallChaos("syscalls: [openat, '%network'], percent: 25, skip: 3, times: 2, duration: 5s"));
  ASSERT_TRUE(result.ok());
  const auto& faults = result.maps.at("").faults();
  ASSERT_EQ(faults.size(), 2);
  EXPECT_EQ(faults[0].id(), "demo/test/demo/client/error-openat");
  EXPECT_EQ(faults[0].target().name(), "demo/client");
  EXPECT_EQ(faults[0].target().netns(), "client");
  EXPECT_EQ(faults[0].expires_in_ms(), 5000u);
  const SyscallFault& open = faults[0].syscall();
  EXPECT_THAT(open.calls(), ElementsAre("openat"));
  EXPECT_FALSE(open.best_effort());
  EXPECT_EQ(open.percent(), 25);
  EXPECT_EQ(open.skip(), 3u);
  EXPECT_EQ(open.times(), 2u);
  EXPECT_EQ(open.error().number(), static_cast<uint32_t>(EIO));
  EXPECT_EQ(faults[1].id(), "demo/test/demo/client/error-%network");
  EXPECT_TRUE(faults[1].syscall().best_effort());
  EXPECT_THAT(faults[1].syscall().calls(), testing::Contains("connect"));
}

TEST(PlanSyscall, TurnsConditionsIntoMasks) {
  const PlanResult result =
      PlanYaml(SyscallChaos("syscalls: [openat], args: [{index: 2, op: '&', value: 0x41}, {index: 0, value: "
                            "-100}, {index: 1, op: '>', "
                            "value: 9}]"));
  ASSERT_TRUE(result.ok());
  const auto& conditions = result.maps.at("").faults()[0].syscall().conditions();
  ASSERT_EQ(conditions.size(), 3);
  EXPECT_EQ(conditions[0].mask(), 0x41u);
  EXPECT_EQ(conditions[0].value(), 0x41u);
  EXPECT_EQ(conditions[0].comparison(), SyscallFault::Condition::EQUAL);
  EXPECT_EQ(conditions[1].mask(), 0xffffffffu);
  EXPECT_EQ(conditions[1].value(), 0xffffff9cu);
  EXPECT_EQ(conditions[2].mask(), UINT64_MAX);
  EXPECT_EQ(conditions[2].comparison(), SyscallFault::Condition::GREATER);
}

Inventory WithContainers() {
  Inventory world = SmallWorld();
  for (const char* name : {"main", "side"}) {
    Container container;
    container.name = name;
    container.target.set_container(api::StrCat("id-of-", name));
    world.pods[0].containers.push_back(container);
  }
  return world;
}

TEST(PlanSyscall, HitsTheContainersNamed) {
  const auto first = PlanYaml(SyscallChaos("syscalls: [openat]"), WithContainers());
  EXPECT_EQ(first.maps.at("").faults()[0].target().container(), "id-of-main");
  EXPECT_EQ(first.maps.at("").faults()[0].target().name(), "demo/client/main");
  EXPECT_EQ(first.experiments[0].records[0].id, "demo/client/main");
  const auto second = PlanYaml(SyscallChaos("syscalls: [openat], containerNames: [side]"), WithContainers());
  EXPECT_EQ(second.maps.at("").faults()[0].target().container(), "id-of-side");
  const auto none = PlanYaml(SyscallChaos("syscalls: [openat], containerNames: [nope]"), WithContainers());
  EXPECT_FALSE(none.ok());
  EXPECT_THAT(ProblemsOf(none), ElementsAre(HasSubstr("pod demo/client has no container nope")));
}

TEST(PlanSyscall, SaysWhatItDoesNotSupport) {
  EXPECT_THAT(ProblemsOf(PlanYaml(SyscallChaos("syscalls: [openat], remoteCluster: far"))),
              ElementsAre("spec.remoteCluster: not supported by this version"));
}

}  // namespace
}  // namespace sabot::plan
