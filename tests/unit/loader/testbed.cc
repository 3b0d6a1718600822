// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/loader/testbed.h"

#include <sys/wait.h>

#include <cstdio>
#include <filesystem>

#include "loader/netlink_link.h"

namespace sabot::loader {
namespace {

uint64_t HomeInode() {
  absl::StatusOr<Netns> self = Netns::OpenSelf();
  return self.ok() ? self->inode() : 0;
}

}  // namespace

Outcome RunIn(const Netns& netns, const std::string& command) {
  absl::StatusOr<ScopedNetns> inside = ScopedNetns::Enter(netns);
  if (!inside.ok()) return {-1, std::string(inside.status().message())};
  FILE* pipe = ::popen(("( " + command + " ) 2>&1").c_str(), "re");
  if (pipe == nullptr) return {-1, "popen failed"};
  Outcome outcome;
  char buffer[4096];
  while (size_t size = ::fread(buffer, 1, sizeof(buffer), pipe)) outcome.output.append(buffer, size);
  int status = ::pclose(pipe);
  outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

nlohmann::json JsonIn(const Netns& netns, const std::string& command) {
  Outcome outcome = RunIn(netns, command);
  EXPECT_EQ(outcome.exit_code, 0) << command << ": " << outcome.output;
  nlohmann::json value = nlohmann::json::parse(outcome.output, nullptr, /*allow_exceptions=*/false);
  EXPECT_FALSE(value.is_discarded()) << command << ": " << outcome.output;
  return value;
}

std::set<std::string> OpenDescriptors() {
  std::set<std::string> open;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    std::filesystem::path target = std::filesystem::read_symlink(entry.path(), error);
    // The descriptor of this very listing.
    if (target.string().find("/fd") != std::string::npos) continue;
    open.insert(entry.path().filename().string() + " -> " + target.string());
  }
  return open;
}

void NetnsTest::SetUp() {
  home_ = HomeInode();
  absl::StatusOr<Netns> netns = Netns::Create();
  ASSERT_OK(netns);
  netns_ = std::make_unique<Netns>(*std::move(netns));
  absl::StatusOr<Netlink> netlink = Netlink::Open(*netns_);
  ASSERT_OK(netlink);
  netlink_ = std::make_shared<Netlink>(*std::move(netlink));
}

void NetnsTest::TearDown() { EXPECT_EQ(HomeInode(), home_) << "the test's thread has left its namespace"; }

int NetnsTest::MakeVeth() {
  absl::StatusOr<int> ifindex = CreateVethPair(netlink(), "a", netns(), "b");
  EXPECT_OK(ifindex);
  return ifindex.value_or(0);
}

}  // namespace sabot::loader
