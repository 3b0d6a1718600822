// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "controller/api/str_cat.h"
#include "controller/plan/inventory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sabot::plan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

Pod PodOf(std::string_view spec) {
  Inventory inventory;
  const absl::Status status = AddTarget(spec, inventory);
  EXPECT_TRUE(status.ok()) << spec << ": " << status;
  return inventory.pods.empty() ? Pod() : inventory.pods[0];
}

std::string ErrorOf(std::string_view spec) {
  Inventory inventory;
  const absl::Status status = AddTarget(spec, inventory);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << spec;
  EXPECT_THAT(inventory.pods, IsEmpty());
  return std::string(status.message());
}

TEST(TargetFlag, NameAndNamespace) {
  EXPECT_EQ(PodOf("web=pid:1").Id(), "default/web");
  EXPECT_EQ(PodOf("demo/web=pid:1").Id(), "demo/web");
  EXPECT_EQ(PodOf("demo/web=pid:1").target.name(), "demo/web");
  EXPECT_EQ(PodOf("demo/web=pid:1").phase, "Running");
}

TEST(TargetFlag, EveryKind) {
  EXPECT_EQ(PodOf("a=pid:1").target.pid(), 1u);
  EXPECT_EQ(PodOf("a=pid:4194304").target.pid(), 4194304u);
  EXPECT_EQ(PodOf("a=netns:blue").target.netns(), "blue");
  EXPECT_EQ(PodOf("a=netns:/proc/7/ns/net").target.netns(), "/proc/7/ns/net");
  EXPECT_EQ(PodOf("a=cgroup:/a.slice/b:c").target.cgroup(), "/a.slice/b:c");
  EXPECT_EQ(PodOf("a=cgroup:a/b").target.cgroup(), "a/b");
  EXPECT_EQ(PodOf("a=unit:nginx.service").target.unit(), "nginx.service");
  EXPECT_EQ(PodOf("a=unit:getty@tty1.service").target.unit(), "getty@tty1.service");
  EXPECT_EQ(PodOf("a=container:0123abc").target.container(), "0123abc");
  EXPECT_EQ(PodOf("a=container:containerd://0123abc").target.container(), "containerd://0123abc");
}

TEST(TargetFlag, Labels) {
  EXPECT_THAT(PodOf("a=pid:1").labels, IsEmpty());
  EXPECT_THAT(PodOf("a=pid:1,app=web").labels, ElementsAre(Pair("app", "web")));
  EXPECT_THAT(PodOf("a=pid:1,app=web,example.org/tier=,x=1.2").labels,
              ElementsAre(Pair("app", "web"), Pair("example.org/tier", ""), Pair("x", "1.2")));
}

TEST(TargetFlag, SaysWhatIsWrong) {
  constexpr std::string_view kForm = "must be [NAMESPACE/]NAME=KIND:VALUE[,LABEL=VALUE...]";
  const struct {
    std::string_view spec;
    std::string_view error;
  } kCases[] = {
      {"", kForm},
      {"web", kForm},
      {"web=", kForm},
      {"web=17", kForm},
      {"=pid:1",
       "name \"\" must be 1 to 253 lower-case letters, digits, '-' and '.', with a letter or digit at both "
       "ends"},
      {"/a=pid:1",
       "namespace \"\" must be 1 to 63 lower-case letters, digits and '-', with a letter or digit at both "
       "ends"},
      {"a/b/c=pid:1",
       "name \"b/c\" must be 1 to 253 lower-case letters, digits, '-' and '.', with a letter or digit at "
       "both ends"},
      {"Web=pid:1",
       "name \"Web\" must be 1 to 253 lower-case letters, digits, '-' and '.', with a letter or digit at "
       "both ends"},
      {"a=proc:1", "\"proc\" is no kind of target; known: pid, netns, cgroup, unit, container"},
      {"a=pid:0", "pid \"0\": must be a number from 1 to 4194304"},
      {"a=pid:4194305", "pid \"4194305\": must be a number from 1 to 4194304"},
      {"a=pid:-1", "pid \"-1\": must be a number from 1 to 4194304"},
      {"a=pid:1x", "pid \"1x\": must be a number from 1 to 4194304"},
      {"a=pid:", "pid \"\": must be a number from 1 to 4194304"},
      {"a=pid:99999999999999999999", "pid \"99999999999999999999\": must be a number from 1 to 4194304"},
      {"a=netns:", "netns \"\": must be a name below /run/netns or an absolute path"},
      {"a=netns:x/y", "netns \"x/y\": must be a name below /run/netns or an absolute path"},
      {"a=netns:..", "netns \"..\": must be a name below /run/netns or an absolute path"},
      {"a=cgroup:", "cgroup \"\": must be a path below the cgroup v2 mount"},
      {"a=cgroup:/a/../b", "cgroup \"/a/../b\": must be a path below the cgroup v2 mount"},
      {"a=unit:nginx",
       "unit \"nginx\": must be the name of a systemd unit with its suffix, such as nginx.service"},
      {"a=unit:a/b.service",
       "unit \"a/b.service\": must be the name of a systemd unit with its suffix, such as "
       "nginx.service"},
      {"a=container:", "container \"\": must be a container id as the runtime prints it"},
      {"a=container:a b", "container \"a b\": must be a container id as the runtime prints it"},
      {"a=pid:1,", "label \"\" has no value; write LABEL=VALUE"},
      {"a=pid:1,app", "label \"app\" has no value; write LABEL=VALUE"},
      {"a=pid:1,=x", "\"\" is no label key"},
      {"a=pid:1,app=a b", "\"a b\" is no label value"},
      {"a=pid:1,app=a=b", "\"a=b\" is no label value"},
      {"a=pid:1,app=x,app=y", "label \"app\" is given twice"},
  };
  for (const auto& one : kCases) EXPECT_EQ(ErrorOf(one.spec), one.error) << one.spec;
}

TEST(TargetFlag, HostileText) {
  EXPECT_EQ(ErrorOf(std::string(1'000'000, 'a')), "is too long");
  EXPECT_THAT(ErrorOf(std::string("a=netns:x\0y", 11)), testing::HasSubstr("netns"));
  EXPECT_THAT(ErrorOf("a=cgroup:/x\n"), testing::HasSubstr("cgroup"));
  EXPECT_THAT(ErrorOf("\xff=pid:1"), testing::HasSubstr("name"));
}

TEST(TargetFlag, TheSamePodTwice) {
  Inventory inventory;
  ASSERT_TRUE(AddTarget("demo/a=pid:1", inventory).ok());
  ASSERT_TRUE(AddTarget("a=pid:1", inventory).ok());
  const absl::Status again = AddTarget("demo/a=netns:x", inventory);
  EXPECT_EQ(again.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(again.message(), "demo/a is given twice");
  EXPECT_EQ(inventory.pods.size(), 2u);
}

}  // namespace
}  // namespace sabot::plan
