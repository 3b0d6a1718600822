// SPDX-License-Identifier: Apache-2.0
#include "tests/support/resident.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <exception>
#include <thread>

#include "tests/support/require.h"

namespace sabot::test {
namespace {

using loader::UniqueFd;

struct SocketRequest {
  int domain, type, protocol;
};

union FdMessage {
  cmsghdr header;
  char space[CMSG_SPACE(sizeof(int))];
};

void SendFd(int channel, int fd, int error) {
  iovec data{&error, sizeof(error)};
  FdMessage control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (fd >= 0) {
    message.msg_control = control.space;
    message.msg_controllen = sizeof(control.space);
    control.header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    std::memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
  }
  ::sendmsg(channel, &message, 0);
}

UniqueFd ReceiveFd(int channel, int& error) {
  iovec data{&error, sizeof(error)};
  FdMessage control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.space;
  message.msg_controllen = sizeof(control.space);
  if (::recvmsg(channel, &message, MSG_CMSG_CLOEXEC) != sizeof(error)) {
    error = ECONNRESET;
    return {};
  }
  if (message.msg_controllen == 0) return {};
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
  return UniqueFd(fd);
}

// The resident's whole life. Nothing here allocates: it runs between fork and exit of a threaded process.
[[noreturn]] void Live(int channel, bool own_network) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NAME, "test-resident");
  ::setpgid(0, 0);
  ::signal(SIGPIPE, SIG_IGN);
  ::dup2(channel, 3);
  ::syscall(SYS_close_range, 4, ~0U, 0);
  // Signal masks are inherited; one that blocks SIGTERM would make it unlike a real workload.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);

  SocketRequest request;
  if (::read(3, &request, sizeof(request)) < 0) _exit(1);  // "go": the control group is set
  SendFd(3, -1, !own_network || ::unshare(CLONE_NEWNET) == 0 ? 0 : errno);
  while (::read(3, &request, sizeof(request)) == sizeof(request)) {
    int fd = ::socket(request.domain, request.type | SOCK_CLOEXEC, request.protocol);
    SendFd(3, fd, fd < 0 ? errno : 0);
    ::close(fd);
  }
  _exit(0);
}

void Ask(int channel, const SocketRequest& request) {
  Require(::write(channel, &request, sizeof(request)) == sizeof(request), "talk to a resident process");
}

}  // namespace

Resident::Resident(const std::string& role, Cgroup cgroup, Network network) : role_(role) {
  if (cgroup == Cgroup::kOwn) cgroup_.emplace(role);
  int ends[2];
  RequireSyscall(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), "make a socket pair");
  channel_ = UniqueFd(ends[0]);
  UniqueFd theirs(ends[1]);
  pid_ = ::fork();
  if (pid_ == 0) Live(theirs.get(), network == Network::kOwn);
  RequireSyscall(pid_, "fork");
  RememberProcess(pid_);
  if (cgroup_.has_value()) cgroup_->Add(pid_);
  Ask(channel_.get(), {});
  int error = 0;
  ReceiveFd(channel_.get(), error);
  Require(error == 0, "make a network namespace for " + role + ": " + std::strerror(error));
  netns_ =
      UniqueFd(RequireSyscall(::open(netns_path().c_str(), O_RDONLY | O_CLOEXEC), "open " + netns_path()));
}

Resident::~Resident() { Kill(); }

void Resident::Kill() {
  netns_.Reset();
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  ForgetProcess(pid_);
  pid_ = -1;
}

std::string Resident::netns_path() const { return "/proc/" + std::to_string(pid_) + "/ns/net"; }

const std::string& Resident::cgroup() const {
  Require(cgroup_.has_value(), role_ + " has no control group of its own");
  return cgroup_->path();
}

UniqueFd Resident::Socket(int domain, int type, int protocol) const {
  Ask(channel_.get(), {domain, type, protocol});
  int error = 0;
  UniqueFd fd = ReceiveFd(channel_.get(), error);
  Require(fd.valid(), "make a socket in " + role_ + ": " + std::strerror(error));
  return fd;
}

void Resident::Inside(const std::function<void()>& work) const {
  std::exception_ptr failure;
  std::thread([&] {
    try {
      RequireSyscall(::setns(netns_.get(), CLONE_NEWNET), "enter the network namespace of " + role_);
      work();
    } catch (...) {
      failure = std::current_exception();
    }
  }).join();
  if (failure) std::rethrow_exception(failure);
}

std::string Resident::Run(std::vector<std::string> argv, std::string input) const {
  return RequireCommand({.argv = std::move(argv), .input = std::move(input), .netns_fd = netns_.get()});
}

}  // namespace sabot::test
