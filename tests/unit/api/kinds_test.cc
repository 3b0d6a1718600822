// SPDX-License-Identifier: Apache-2.0
#include "controller/api/kinds.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/api/manifests.h"

namespace sabot::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string Object(std::string_view api_version, std::string_view kind) {
  return StrCat("apiVersion: ", api_version, "\nkind: ", kind,
                "\nmetadata: {name: x}\nspec: {anything: goes}\n");
}

TEST(Kinds, EveryExperimentOfUpstreamIsKnown) {
  for (std::string_view name :
       {"AWSChaos", "AzureChaos", "BlockChaos", "DNSChaos", "GCPChaos", "HTTPChaos", "IOChaos", "JVMChaos",
        "KernelChaos", "PhysicalMachineChaos", "PodChaos", "StressChaos", "Schedule", "Workflow"}) {
    EXPECT_THAT(ErrorsOf(Object("chaos-mesh.org/v1alpha1", name)),
                ElementsAre(StrCat("kind: kind ", name, " is not supported by this version")));
  }
}

TEST(Kinds, OurOwnGroupIsKnown) {
  EXPECT_THAT(ErrorsOf(Object("sabot.dev/v1alpha1", "SyscallChoas")),
              ElementsAre(HasSubstr("kind \"SyscallChoas\" is not known in sabot.dev/v1alpha1")));
}

TEST(Kinds, AnUnknownOneIsToldWhatThereIs) {
  EXPECT_THAT(ErrorsOf(Object("chaos-mesh.org/v1alpha1", "NetworkChoas")),
              ElementsAre("kind: kind \"NetworkChoas\" is not known in chaos-mesh.org/v1alpha1; supported: "
                          "NetworkChaos (chaos-mesh.org/v1alpha1), TimeChaos (chaos-mesh.org/v1alpha1), "
                          "SyscallChaos (sabot.dev/v1alpha1), List (v1)"));
  EXPECT_THAT(
      ErrorsOf(Object("chaos-mesh.org/v1", "NetworkChaos")),
      ElementsAre(
          "apiVersion: apiVersion \"chaos-mesh.org/v1\" is not known for kind NetworkChaos; supported: "
          "NetworkChaos (chaos-mesh.org/v1alpha1), TimeChaos (chaos-mesh.org/v1alpha1), "
          "SyscallChaos (sabot.dev/v1alpha1), List (v1)"));
  EXPECT_THAT(ErrorsOf(Object("apps/v1", "Deployment")),
              ElementsAre(HasSubstr("apiVersion: apiVersion \"apps/v1\" is not known; supported: ")));
}

TEST(Kinds, BothFieldsAreRequiredAndStrings) {
  EXPECT_THAT(ErrorsOf("metadata: {name: x}"),
              ElementsAre("apiVersion: Required value", "kind: Required value"));
  EXPECT_THAT(ErrorsOf("apiVersion: 1\nkind: [x]\n"),
              ElementsAre("apiVersion: must be a string, got an integer; write \"1\"",
                          "kind: must be a string, got a list"));
  EXPECT_THAT(ErrorsOf("just text"), ElementsAre("must be a map, got a string"));
  EXPECT_THAT(ErrorsOf("- a\n- b\n"), ElementsAre("must be a map, got a list"));
}

}  // namespace
}  // namespace sabot::api
