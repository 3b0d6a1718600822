// SPDX-License-Identifier: Apache-2.0
//
// The files in examples/ are what they say they are.
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/plan/planning.h"

namespace sabot::plan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string PathOf(std::string_view name) { return api::StrCat(SABOT_EXAMPLES_DIR, "/", name); }

std::vector<std::string> FaultsOfExample(std::string_view name) {
  const api::Manifests manifests = api::LoadManifests(PathOf(name));
  EXPECT_THAT(manifests.problems, IsEmpty()) << ToString(manifests.problems[0]);
  const InventoryFile inventory = LoadInventory(PathOf("inventory.yaml"));
  EXPECT_THAT(inventory.problems, IsEmpty()) << ToString(inventory.problems[0]);
  std::mt19937_64 rng;
  const PlanResult result = Plan(manifests.experiments, inventory.inventory, {}, rng);
  EXPECT_THAT(ProblemsOf(result), IsEmpty());
  for (const auto& fault : result.maps.at("").faults()) EXPECT_EQ(fault.expires_in_ms(), 10'000u);
  return FaultsOf(result);
}

TEST(Examples, Delay) {
  EXPECT_THAT(FaultsOfExample("delay.yaml"),
              ElementsAre("demo/client: delay 20000000ns EGRESS with 10.77.0.2/32",
                          "demo/server: delay 20000000ns EGRESS with 10.77.0.1/32 fd77::1/128"));
}

TEST(Examples, Loss) {
  EXPECT_THAT(FaultsOfExample("loss.yaml"), ElementsAre("demo/client: loss 20% EGRESS with 10.77.0.2/32"));
}

TEST(Examples, Partition) {
  EXPECT_THAT(FaultsOfExample("partition.yaml"),
              ElementsAre("demo/client: partition BOTH with 10.77.0.2/32",
                          "demo/server: partition BOTH with 10.77.0.1/32 fd77::1/128"));
}

TEST(Examples, Time) {
  const api::Manifests manifests = api::LoadManifests(PathOf("time.yaml"));
  ASSERT_THAT(manifests.problems, IsEmpty()) << ToString(manifests.problems[0]);
  std::mt19937_64 rng;
  const PlanResult result =
      Plan(manifests.experiments, LoadInventory(PathOf("inventory.yaml")).inventory, {}, rng);
  ASSERT_THAT(ProblemsOf(result), IsEmpty());
  ASSERT_EQ(result.maps.at("").faults_size(), 1);
  const sabot::v1::Fault& fault = result.maps.at("").faults(0);
  EXPECT_EQ(fault.target().name(), "demo/client");
  EXPECT_EQ(fault.clock().skew().offset_ns(), 5'400'000'000'000);
  EXPECT_THAT(fault.clock().clock_ids(), ElementsAre(0));
  EXPECT_EQ(fault.expires_in_ms(), 10'000u);
}

TEST(Examples, Syscalls) {
  const InventoryFile inventory = LoadInventory(PathOf("inventory.yaml"));
  for (std::string_view name : {"syscall-errno.yaml", "syscall-args.yaml"}) {
    const api::Manifests manifests = api::LoadManifests(PathOf(name));
    EXPECT_THAT(manifests.problems, IsEmpty()) << ToString(manifests.problems[0]);
    std::mt19937_64 rng;
    const PlanResult result = Plan(manifests.experiments, inventory.inventory, {}, rng);
    EXPECT_THAT(ProblemsOf(result), IsEmpty()) << name;
    EXPECT_EQ(result.maps.at("").faults_size(), 1) << name;
  }
}

// The first minute: two --target flags and no inventory file.
TEST(Examples, WorkWithTargetFlags) {
  Inventory inventory;
  ASSERT_TRUE(AddTarget("demo/client=pid:4711,app=client", inventory).ok());
  ASSERT_TRUE(AddTarget("demo/server=pid:4712,app=server", inventory).ok());
  inventory.pods[0].addresses = {*IpAddress::Parse("10.0.0.1")};
  inventory.pods[1].addresses = {*IpAddress::Parse("10.0.0.2")};
  for (std::string_view name : {"delay.yaml", "loss.yaml", "partition.yaml"}) {
    std::mt19937_64 rng;
    EXPECT_TRUE(Plan(api::LoadManifests(PathOf(name)).experiments, inventory, {}, rng).ok()) << name;
  }
}

}  // namespace
}  // namespace sabot::plan
