// SPDX-License-Identifier: Apache-2.0
//
// Containers of a real containerd, resolved to what they really are. The witnesses are independent of CRI: a
// mark on the container's command line for its process, and what the CNI plugin was told for its network
// namespace.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "agent/cri.h"
#include "agent/target.h"
#include "tests/host/cri/containerd.h"

namespace sabot::agent {
namespace {

using sabot::test::Containerd;
using sabot::test::ProcessWithMark;
using testing::HasSubstr;
using testing::StartsWith;

class RealContainer : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    why_not_ = Containerd::WhyNot();
    if (!why_not_.empty()) return;
    std::string failure;
    containerd_ = Containerd::Start(failure).release();
    ASSERT_NE(containerd_, nullptr) << failure;
  }
  static void TearDownTestSuite() {
    delete containerd_;
    containerd_ = nullptr;
  }
  void SetUp() override {
    if (!why_not_.empty()) GTEST_SKIP() << why_not_;
    ASSERT_NE(containerd_, nullptr) << "containerd did not start";
  }
  void TearDown() override {
    if (!pod_.empty()) containerd_->RemovePod(pod_);
  }

  std::string Mark(int attempt) const {
    return "sabot-mark-" + std::to_string(getpid()) + "-" + Name() + "-" + std::to_string(attempt);
  }
  static std::string Name() {
    std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    for (char& c : name) c = static_cast<char>(std::tolower(c));
    return name;
  }
  std::string RunContainer(bool host_network) {
    pod_ = containerd_->RunPod(Name(), host_network);
    std::string id = containerd_->CreateContainer(pod_, "web", 0, Mark(0));
    containerd_->StartContainer(id);
    return id;
  }
  absl::StatusOr<ResolvedTargetPtr> Resolve(const std::string& id, const ResolvedTarget* previous = nullptr) {
    sabot::v1::Target target;
    target.set_container(id);
    return ResolveTarget(target, lookup_, previous);
  }
  // The runtime needs a moment to see that a process has ended.
  absl::Status RefusalInTheEnd(const std::string& id, const std::string& words) {
    absl::Status status;
    for (int i = 0; i < 200 && !absl::StrContains(status.message(), words); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      status = Resolve(id).status();
    }
    return status;
  }

  static inline std::string why_not_;
  static inline Containerd* containerd_ = nullptr;
  ContainerLookup lookup_ = CriLookup({containerd_ == nullptr ? "/nowhere" : containerd_->socket()});
  std::string pod_;
};

TEST_F(RealContainer, IsItsProcessNamespaceAndGroup) {
  std::string id = RunContainer(/*host_network=*/false);
  auto target = Resolve("containerd://" + id);
  ASSERT_TRUE(target.ok()) << target.status();

  EXPECT_EQ((*target)->main->pid, ProcessWithMark(Mark(0)));
  struct stat netns {};
  ASSERT_EQ(::stat(containerd_->LastNetns().c_str(), &netns), 0) << containerd_->LastNetns();
  EXPECT_EQ((*target)->netns->inode(), netns.st_ino);
  EXPECT_FALSE((*target)->host_network);
  EXPECT_EQ((*target)->description, "container " + id.substr(0, 12) + " (default/" + Name() + "/web)");
  if (CgroupMounts::Find()->unified().empty()) return;
  ASSERT_TRUE((*target)->cgroup.has_value());
  EXPECT_TRUE((*target)->cgroup_is_target);
  EXPECT_THAT((*target)->cgroup->path.filename().native(), HasSubstr(id));
  auto exclusive = ExclusiveTo((*target)->cgroup->path, netns.st_ino);
  EXPECT_TRUE(exclusive->exclusive());
  EXPECT_GE(exclusive->members, 1u);
}

TEST_F(RealContainer, OnTheHostsNetworkIsSaidToBe) {
  std::string id = RunContainer(/*host_network=*/true);
  auto target = Resolve(id);
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_EQ((*target)->netns->inode(), loader::Netns::OpenSelf()->inode());
  EXPECT_EQ((*target)->host_network,
            loader::Netns::OpenSelf()->inode() == loader::Netns::OpenInit()->inode());
}

TEST_F(RealContainer, IsFollowedWhenItIsRestarted) {
  std::string first = RunContainer(/*host_network=*/false);
  ResolvedTargetPtr before = Resolve(first).value();
  EXPECT_EQ(Recheck(*before), TargetChange::kSame);

  ::kill(before->main->pid, SIGKILL);
  const std::string ended = "is exited and none has taken its place";
  absl::Status status = RefusalInTheEnd(first, ended);
  EXPECT_EQ(Recheck(*before), TargetChange::kChanged);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_THAT(status.message(), HasSubstr(ended));

  // As kubelet does it: a new container of the same name in the same pod.
  std::string second = containerd_->CreateContainer(pod_, "web", 1, Mark(1));
  EXPECT_EQ(Resolve(first).status().code(), absl::StatusCode::kUnavailable) << "it is not running yet";
  containerd_->StartContainer(second);
  auto after = Resolve(first);
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ((*after)->main->pid, ProcessWithMark(Mark(1)));
  EXPECT_EQ((*after)->container->id, second);
  EXPECT_EQ((*after)->netns->inode(), before->netns->inode()) << "the pod keeps its namespace";
  EXPECT_FALSE(SameScope(*before, **after) && before->cgroup) << "but the group is a new one";

  containerd_->RemoveContainer(first);
  EXPECT_EQ(Resolve(first).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ((*Resolve(first, before.get()))->container->id, second) << "who knew it can still follow it";
}

TEST_F(RealContainer, ThatHasNotStartedMayDoSo) {
  pod_ = containerd_->RunPod(Name(), false);
  std::string id = containerd_->CreateContainer(pod_, "web", 0, Mark(0));
  absl::Status status = Resolve(id).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr("has not started yet"));
}

TEST_F(RealContainer, ThatDoesNotExistIsNotFound) {
  std::string id(64, 'f');
  EXPECT_EQ(Resolve(id).status(), absl::NotFoundError("no container " + id));
}

TEST_F(RealContainer, SurvivesItsRuntimesRestart) {
  std::string id = RunContainer(/*host_network=*/false);
  ResolvedTargetPtr before = Resolve(id).value();
  containerd_->StopDaemon();
  absl::Status status = Resolve(id).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_EQ(Recheck(*before), TargetChange::kSame) << "the container lives on";
  ASSERT_TRUE(containerd_->StartDaemon());
  auto after = Resolve(id);
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_TRUE(SameScope(*before, **after));
}

TEST_F(RealContainer, IsOfARuntimeThatSaysItsName) {
  auto client = CriClient::Connect({containerd_->socket()});
  ASSERT_TRUE(client.ok()) << client.status();
  EXPECT_THAT((*client)->runtime(), StartsWith("containerd "));
}

}  // namespace
}  // namespace sabot::agent
