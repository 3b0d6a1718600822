// SPDX-License-Identifier: Apache-2.0
//
// The CRI client against a runtime of our own; tests/host/cri has a real one.
#include "agent/cri.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "agent/cri_connection.h"
#include "tests/unit/agent/cri_server.h"
#include "tests/unit/agent/temp_dir.h"

namespace sabot::agent {
namespace {

using testing::HasSubstr;

// Ids.

TEST(ContainerId, IsTakenWithAndWithoutItsScheme) {
  EXPECT_EQ(ParseContainerId("abc123").value(), "abc123");
  EXPECT_EQ(ParseContainerId("containerd://abc123").value(), "abc123");
  EXPECT_EQ(ParseContainerId("cri-o://abc123").value(), "abc123");
  EXPECT_EQ(ParseContainerId("docker://abc123").value(), "abc123");
}

TEST(ContainerId, ThatIsNoneIsRefused) {
  for (const std::string& id :
       {std::string(), std::string("containerd://"), std::string("a/b"), std::string("a b"),
        std::string("a\0b", 3), std::string(129, 'a'), std::string("\xff")}) {
    EXPECT_EQ(ParseContainerId(id).status().code(), absl::StatusCode::kInvalidArgument) << id;
  }
}

// What runtimes say about a container when they are asked for everything.

TEST(ContainerPid, IsReadAsEachRuntimeSaysIt) {
  // containerd 1.6, CRI-O 1.25 and cri-dockerd 0.3, shortened.
  EXPECT_EQ(ParseContainerPid(R"({"sandboxID":"5d","pid":4242,"removing":false,"snapshotKey":"5d",
                                  "snapshotter":"overlayfs","runtimeType":"io.containerd.runc.v2",
                                  "config":{"metadata":{"name":"nginx"}},"runtimeSpec":{"process":{"pid":1}}})")
                .value(),
            4242);
  EXPECT_EQ(ParseContainerPid(R"({"sandboxID":"5d","pid":4242,"runtimeSpec":{},"privileged":false})").value(),
            4242);
  EXPECT_EQ(ParseContainerPid(R"({"pid":4242})").value(), 4242);
}

TEST(ContainerPid, OfAContainerThatDoesNotRunIsZero) {
  EXPECT_EQ(ParseContainerPid(R"({"sandboxID":"5d","pid":0})").value(), 0);
}

TEST(ContainerPid, ThatCannotBeOneIsRefused) {
  for (const char* info : {"",
                           "null",
                           "[]",
                           "42",
                           "\"pid\"",
                           "{}",
                           "{\"pid\":null}",
                           "{\"pid\":\"4242\"}",
                           "{\"pid\":42.5}",
                           "{\"pid\":-1}",
                           "{\"pid\":4194305}",
                           "{\"pid\":99999999999999999999}",
                           "{\"pid\":18446744073709551615}",
                           "{\"pid\":[42]}",
                           "{\"pid\":{\"pid\":42}}",
                           "{\"config\":{\"pid\":42}}",
                           "{\"pid\":42",
                           "{\"pid\":42}}",
                           "\xff\xfe",
                           "{\"\xff\":1,\"pid\":42}"}) {
    EXPECT_EQ(ParseContainerPid(info).status().code(), absl::StatusCode::kInvalidArgument) << info;
  }
}

TEST(ContainerPid, OfBottomlessJsonIsRefusedWithoutACrash) {
  EXPECT_FALSE(ParseContainerPid(std::string(2'000'000, '[')).ok());
  std::string nested;
  for (int i = 0; i < 200'000; ++i) nested += "{\"pid\":";
  EXPECT_FALSE(ParseContainerPid(nested).ok());
  EXPECT_FALSE(
      ParseContainerPid("{\"pid\":" + std::string(500'000, '[') + std::string(500'000, ']') + "}").ok());
}

TEST(ContainerInfo, DescribesItselfWithWhatItHas) {
  ContainerInfo info{
      .id = "0123456789abcdef", .name = "nginx", .pod_name = "web-0", .pod_namespace = "default"};
  EXPECT_EQ(info.Describe(), "0123456789ab (default/web-0/nginx)");
  EXPECT_EQ((ContainerInfo{.id = "0123456789abcdef", .name = "nginx"}.Describe()), "0123456789ab (nginx)");
  EXPECT_EQ((ContainerInfo{.id = "0123456789abcdef"}.Describe()), "0123456789ab");
}

// The conversation.

class CriTest : public testing::Test {
 protected:
  void SetUp() override {
    runtime::v1::ContainerStatus& status = *server_->status.mutable_status();
    status.set_id("0123456789abcdef");
    status.mutable_metadata()->set_name("nginx");
    status.set_state(runtime::v1::CONTAINER_RUNNING);
    (*status.mutable_labels())["io.kubernetes.container.name"] = "nginx";
    (*status.mutable_labels())["io.kubernetes.pod.name"] = "web-0";
    (*status.mutable_labels())["io.kubernetes.pod.namespace"] = "default";
    (*status.mutable_labels())["io.kubernetes.pod.uid"] = "uid-1";
    (*server_->status.mutable_info())["info"] = R"({"sandboxID":"5d","pid":4242})";
  }
  std::unique_ptr<CriClient> Connect() { return CriClient::Connect({socket_.native()}).value(); }

  TempDir dir_;
  std::filesystem::path socket_ = dir_.path() / "cri.sock";
  std::unique_ptr<CriServer> server_ = std::make_unique<CriServer>(socket_);
};

TEST_F(CriTest, TakesTheFirstRuntimeThatAnswers) {
  std::filesystem::path file = dir_.path() / "file";
  std::ofstream(file).flush();
  auto client = CriClient::Connect({(dir_.path() / "none").native(), file.native(), socket_.native()});
  ASSERT_TRUE(client.ok()) << client.status();
  EXPECT_EQ((*client)->socket(), socket_.native());
  EXPECT_EQ((*client)->runtime(), "containerd 1.6.20~ds1");
}

TEST_F(CriTest, WithoutARuntimeEveryPlaceIsNamed) {
  std::filesystem::path file = dir_.path() / "file";
  std::ofstream(file).flush();
  absl::Status status = CriClient::Connect({"/nowhere/a.sock", file.native()}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(status.message(),
            "no container runtime answers; tried /nowhere/a.sock: No such file or directory; " +
                file.native() + ": not a socket");
}

TEST_F(CriTest, SaysWhatAContainerIs) {
  auto client = Connect();
  auto container = client->Status("containerd://0123456789abcdef");
  ASSERT_TRUE(container.ok()) << container.status();
  EXPECT_EQ(server_->asked_id, "0123456789abcdef");
  EXPECT_TRUE(server_->asked_verbose);
  EXPECT_EQ(container->Describe(), "0123456789ab (default/web-0/nginx)");
  EXPECT_EQ(container->pod_uid, "uid-1");
  EXPECT_EQ(container->sandbox_id, "5d");
  EXPECT_EQ(container->state, ContainerState::kRunning);
  EXPECT_EQ(container->pid, 4242);
}

TEST_F(CriTest, AContainerThatDoesNotRunNeedsNoPid) {
  server_->status.mutable_status()->set_state(runtime::v1::CONTAINER_EXITED);
  server_->status.clear_info();
  auto container = Connect()->Status("0123456789abcdef");
  ASSERT_TRUE(container.ok()) << container.status();
  EXPECT_EQ(container->state, ContainerState::kExited);
  EXPECT_EQ(container->pid, 0);
}

TEST_F(CriTest, AStateOfTheFutureIsUnknown) {
  server_->status.mutable_status()->set_state(static_cast<runtime::v1::ContainerState>(77));
  EXPECT_EQ(Connect()->Status("0123456789abcdef")->state, ContainerState::kUnknown);
}

TEST_F(CriTest, ARunningContainerWithoutAPidIsAnErrorThatNamesTheRuntime) {
  server_->status.clear_info();
  absl::Status status = Connect()->Status("0123456789abcdef").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("ask containerd 1.6.20~ds1 about container 0123456789abcdef: "));
}

TEST_F(CriTest, AnUnknownContainerIsNotFound) {
  server_->status_error =
      grpc::Status(grpc::StatusCode::NOT_FOUND, "an error occurred when try to find container");
  EXPECT_EQ(Connect()->Status("0123456789abcdef").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(CriTest, ARuntimeThatHangsIsGivenUp) {
  auto client = Connect();
  server_->hang = true;
  absl::Time start = absl::Now();
  EXPECT_EQ(client->Status("0123456789abcdef").status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_LT(absl::Now() - start, kCriTimeout + absl::Seconds(1));
  EXPECT_THAT(CriClient::Connect({socket_.native()}).status().message(), HasSubstr(socket_.native()));
  server_->hang = false;
}

// Successors.

TEST_F(CriTest, SuccessorIsTheNewestOfTheSameNameInThePod) {
  for (auto [id, name, created] :
       {std::tuple("old", "nginx", 1), {"new", "nginx", 3}, {"sidecar", "envoy", 9}}) {
    runtime::v1::Container& container = server_->containers.emplace_back();
    container.set_id(id);
    container.mutable_metadata()->set_name(name);
    container.set_state(runtime::v1::CONTAINER_RUNNING);
    container.set_created_at(created);
  }
  auto client = Connect();
  ASSERT_TRUE(client->Successor(client->Status("0123456789abcdef").value()).ok());
  EXPECT_EQ(server_->asked_id, "new");
  EXPECT_EQ(server_->asked_list.filter().label_selector().at("io.kubernetes.pod.uid"), "uid-1");
  EXPECT_EQ(server_->asked_list.filter().state().state(), runtime::v1::CONTAINER_RUNNING);
}

TEST_F(CriTest, SuccessorWithoutKubeletIsLookedForInTheSandbox) {
  server_->status.mutable_status()->clear_labels();
  auto client = Connect();
  EXPECT_EQ(client->Successor(client->Status("0123456789abcdef").value()).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(server_->asked_list.filter().pod_sandbox_id(), "5d");
}

TEST_F(CriTest, WithoutAnyPodThereIsNoSuccessor) {
  EXPECT_EQ(Connect()->Successor({.id = "x", .name = "nginx"}).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(server_->asked_list.ByteSizeLong(), 0u) << "every container of the node would have fitted";
}

// The connection that heals.

TEST_F(CriTest, ConnectionComesBackWithTheRuntime) {
  CriConnection connection({socket_.native()});
  EXPECT_TRUE(connection.Status("0123456789abcdef").ok());
  server_.reset();
  EXPECT_EQ(connection.Status("0123456789abcdef").status().code(), absl::StatusCode::kUnavailable);
  std::filesystem::remove(socket_);
  EXPECT_EQ(connection.Status("0123456789abcdef").status().code(), absl::StatusCode::kUnavailable);
  server_ = std::make_unique<CriServer>(socket_);
  SetUp();
  EXPECT_FALSE(connection.Status("0123456789abcdef").ok())
      << "a silent runtime is not asked for every target";
  absl::SleepFor(absl::Seconds(2));
  EXPECT_TRUE(connection.Status("0123456789abcdef").ok());
}

TEST_F(CriTest, WhatMayPassIsUnavailableAndWhatDoesNotIsNot) {
  CriConnection connection({socket_.native()});
  server_->status_error = grpc::Status(grpc::StatusCode::UNKNOWN, "server is not initialized yet");
  EXPECT_EQ(connection.Status("0123456789abcdef").status().code(), absl::StatusCode::kUnavailable);
  server_->status_error = grpc::Status(grpc::StatusCode::NOT_FOUND, "not found");
  EXPECT_EQ(connection.Status("0123456789abcdef").status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace sabot::agent
