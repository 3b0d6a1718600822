// SPDX-License-Identifier: Apache-2.0
#include "tools/sabot/demo_world.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <utility>

#include "loader/netlink.h"
#include "loader/netlink_address.h"
#include "loader/netlink_link.h"
#include "loader/netns.h"
#include "loader/status.h"

namespace sabot::cli {
namespace {

using loader::Netlink;
using loader::Netns;

constexpr char kServerAddress[] = "10.77.0.2";

absl::Status BringUp(Netlink& netlink, const char* address4, const char* address6) {
  SABOT_ASSIGN_OR_RETURN(const loader::Link lo, loader::FindLink(netlink, "lo"));
  SABOT_RETURN_IF_ERROR(loader::SetLinkUp(netlink, lo.ifindex, true));
  SABOT_ASSIGN_OR_RETURN(const loader::Link eth, loader::FindLink(netlink, "eth0"));
  for (const char* text : {address4, address6}) {
    SABOT_ASSIGN_OR_RETURN(const auto prefix, loader::IpPrefix::Parse(text));
    SABOT_RETURN_IF_ERROR(loader::AddAddress(netlink, eth.ifindex, prefix));
  }
  return loader::SetLinkUp(netlink, eth.ifindex, true);
}

absl::Status Join(const Netns& left, const Netns& right) {
  SABOT_ASSIGN_OR_RETURN(Netlink here, Netlink::Open(left));
  SABOT_ASSIGN_OR_RETURN(Netlink there, Netlink::Open(right));
  SABOT_RETURN_IF_ERROR(loader::CreateVethPair(here, "eth0", right, "eth0").status());
  SABOT_RETURN_IF_ERROR(BringUp(here, "10.77.0.1/24", "fd77::1/64"));
  return BringUp(there, "10.77.0.2/24", "fd77::2/64");
}

// A child inside `netns` that dies with us.
absl::StatusOr<pid_t> Spawn(const Netns& netns, const std::function<void()>& job) {
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return ErrnoStatus(errno, "fork");
  if (pid > 0) return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent || setns(netns.fd(), CLONE_NEWNET) != 0) _exit(1);
  job();
  _exit(0);
}

absl::StatusOr<std::pair<loader::UniqueFd, loader::UniqueFd>> Pipe() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return ErrnoStatus(errno, "pipe");
  return std::pair(loader::UniqueFd(fds[0]), loader::UniqueFd(fds[1]));
}

}  // namespace

DemoWorld::DemoWorld(pid_t server, pid_t client, loader::UniqueFd ask, loader::UniqueFd answer)
    : server_(server), client_(client), ask_(std::move(ask)), answer_(std::move(answer)) {}

DemoWorld::DemoWorld(DemoWorld&& other) noexcept
    : server_(std::exchange(other.server_, 0)),
      client_(std::exchange(other.client_, 0)),
      ask_(std::move(other.ask_)),
      answer_(std::move(other.answer_)) {}

DemoWorld::~DemoWorld() {
  for (pid_t child : {client_, server_}) {
    if (child <= 0) continue;
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }
}

absl::StatusOr<DemoWorld> DemoWorld::Create() {
  SABOT_ASSIGN_OR_RETURN(const Netns left, Netns::Create());
  SABOT_ASSIGN_OR_RETURN(const Netns right, Netns::Create());
  SABOT_RETURN_IF_ERROR(Join(left, right));
  SABOT_ASSIGN_OR_RETURN(auto question, Pipe());
  SABOT_ASSIGN_OR_RETURN(auto answer, Pipe());
  SABOT_ASSIGN_OR_RETURN(const pid_t server, Spawn(right, [] { ServeTraffic(); }));
  auto client = Spawn(left, [&] {
    question.second.Reset();
    MakeTraffic(kServerAddress, question.first.get(), answer.second.get());
  });
  DemoWorld world(server, client.value_or(0), std::move(question.second), std::move(answer.first));
  SABOT_RETURN_IF_ERROR(client.status());
  return world;
}

absl::StatusOr<TrafficReport> DemoWorld::Report() {
  if (write(ask_.get(), "?", 1) != 1) return ErrnoStatus(errno, "ask the demo's client");
  pollfd readable = {.fd = answer_.get(), .events = POLLIN, .revents = 0};
  TrafficReport report;
  if (poll(&readable, 1, 5000) != 1 || read(answer_.get(), &report, sizeof(report)) != sizeof(report)) {
    return absl::UnavailableError("the demo's client does not answer");
  }
  return report;
}

}  // namespace sabot::cli
