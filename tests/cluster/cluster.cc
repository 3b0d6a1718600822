// SPDX-License-Identifier: Apache-2.0
#include "tests/cluster/cluster.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/time/clock.h"

namespace sabot::test {
namespace {

std::filesystem::path Directory() {
  const char* directory = std::getenv("SABOT_CLUSTER");
  return directory == nullptr ? "/nonexistent" : directory;
}

pid_t PidOf(const std::string& program) {
  pid_t pid = 0;
  std::ifstream(Directory() / (program + ".pid")) >> pid;
  return pid;
}

bool Ready() {
  const auto client = kube::Client::Create(ClusterConfig(), absl::Seconds(1));
  return client.ok() && (*client)->Get({.version = "v1", .plural = "namespaces"}, "default").ok();
}

}  // namespace

kube::Config ClusterConfig() {
  absl::StatusOr<kube::Config> config = kube::DefaultConfig();
  EXPECT_TRUE(config.ok()) << config.status();
  return config.ok() ? *config : kube::Config();
}

std::unique_ptr<kube::Client> ConnectedClient() { return ConnectedClient(ClusterConfig()); }

std::unique_ptr<kube::Client> ConnectedClient(const kube::Config& config) {
  auto client = kube::Client::Create(config);
  EXPECT_TRUE(client.ok()) << client.status();
  return client.ok() ? *std::move(client) : nullptr;
}

bool Eventually(const std::function<bool()>& held, absl::Duration timeout) {
  const absl::Time end = absl::Now() + timeout;
  while (!held()) {
    if (absl::Now() > end) return false;
    absl::SleepFor(absl::Milliseconds(20));
  }
  return true;
}

ApiServerOutage::ApiServerOutage() {
  std::ofstream(Directory() / "hold-apiserver").close();
  const pid_t pid = PidOf("apiserver");
  EXPECT_GT(pid, 1);
  if (pid > 1) kill(pid, SIGKILL);
  EXPECT_TRUE(Eventually([pid] { return kill(pid, 0) != 0; }));
}

ApiServerOutage::~ApiServerOutage() {
  std::filesystem::remove(Directory() / "hold-apiserver");
  EXPECT_TRUE(Eventually(Ready, absl::Seconds(90)));
}

std::string CallEtcd(const std::string& method, const std::string& body) {
  const std::string command = "curl -sf http://127.0.0.1:2379/v3/" + method + " -d '" + body + "'";
  FILE* pipe = popen(command.c_str(), "r");
  std::string answer;
  char buffer[4096];
  while (size_t got = fread(buffer, 1, sizeof buffer, pipe)) answer.append(buffer, got);
  EXPECT_EQ(pclose(pipe), 0) << command;
  return answer;
}

TestNamespace::TestNamespace(kube::Client& client) {
  const auto made =
      client.Create({.version = "v1", .plural = "namespaces"},
                    {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"generateName", "test-"}}}});
  EXPECT_TRUE(made.ok()) << made.status();
  if (made.ok()) name_ = made->at("metadata").at("name").get<std::string>();
}

}  // namespace sabot::test
