// SPDX-License-Identifier: Apache-2.0
#include "tests/support/tcp_probe.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <thread>

#include "tests/support/clock.h"
#include "tests/support/require.h"

namespace sabot::test {
namespace {

using loader::UniqueFd;

constexpr size_t kMessage = 64;

bool WaitFor(int fd, short events, absl::Duration timeout) {
  pollfd wanted{fd, events, 0};
  return ::poll(&wanted, 1, static_cast<int>(absl::ToInt64Milliseconds(timeout))) > 0;
}

bool ReadAll(int fd, char* buffer, size_t length, absl::Duration timeout) {
  for (size_t done = 0; done < length;) {
    if (!WaitFor(fd, POLLIN, timeout)) return false;
    ssize_t n = ::recv(fd, buffer + done, length - done, 0);
    if (n <= 0) return false;
    done += static_cast<size_t>(n);
  }
  return true;
}

// Echoes the round trips, then counts what comes until the end of the stream.
void Serve(int listener, int round_trips, absl::Duration timeout, double& megabits_per_second) {
  if (!WaitFor(listener, POLLIN, timeout)) return;
  UniqueFd connection(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  char buffer[65536];
  for (int i = 0; i < round_trips; ++i) {
    if (!ReadAll(connection.get(), buffer, kMessage, timeout)) return;
    if (::send(connection.get(), buffer, kMessage, MSG_NOSIGNAL) < 0) return;
  }
  int64_t first_ns = 0, last_ns = 0, bytes = 0;
  while (WaitFor(connection.get(), POLLIN, timeout)) {
    ssize_t n = ::recv(connection.get(), buffer, sizeof(buffer), 0);
    if (n <= 0) break;
    last_ns = NowNs();
    if (first_ns == 0) first_ns = last_ns;
    bytes += n;
  }
  if (last_ns > first_ns) {
    megabits_per_second = static_cast<double>(bytes) * 8e3 / static_cast<double>(last_ns - first_ns);
  }
}

int Connect(int fd, const sockaddr_storage& remote, absl::Duration timeout) {
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&remote), Address::kSocketLength) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  if (!WaitFor(fd, POLLOUT, timeout)) return ETIMEDOUT;
  int error = 0;
  socklen_t length = sizeof(error);
  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  return error;
}

void SendFor(int fd, absl::Duration bulk, absl::Duration timeout) {
  char buffer[65536] = {};
  int64_t end_ns = NowNs() + absl::ToInt64Nanoseconds(bulk);
  while (NowNs() < end_ns && WaitFor(fd, POLLOUT, timeout)) {
    if (::send(fd, buffer, sizeof(buffer), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN) return;
  }
}

}  // namespace

TcpResult ProbeTcp(const Host& client, const Host& server, Family family, const TcpPlan& plan) {
  absl::Duration timeout = Scaled(plan.timeout);
  sockaddr_storage local = server.address(family).Socket(0);
  UniqueFd listener = server.Socket(local.ss_family, SOCK_STREAM);
  RequireSyscall(::bind(listener.get(), reinterpret_cast<sockaddr*>(&local), Address::kSocketLength), "bind");
  RequireSyscall(::listen(listener.get(), 1), "listen");
  sockaddr_in6 bound{};
  socklen_t length = sizeof(bound);
  RequireSyscall(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&bound), &length), "getsockname");
  sockaddr_storage remote = server.address(family).Socket(ntohs(bound.sin6_port));
  UniqueFd fd = client.Socket(remote.ss_family, SOCK_STREAM | SOCK_NONBLOCK);
  int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));

  TcpResult result;
  std::thread serving([&] { Serve(listener.get(), plan.round_trips, timeout, result.megabits_per_second); });
  int64_t start_ns = NowNs();
  result.connect_error = Connect(fd.get(), remote, timeout);
  result.connect_ns = NowNs() - start_ns;
  char buffer[kMessage] = {};
  for (int i = 0; i < plan.round_trips && result.connect_error == 0; ++i) {
    int64_t asked_ns = NowNs();
    if (::send(fd.get(), buffer, kMessage, MSG_NOSIGNAL) < 0) break;
    if (!ReadAll(fd.get(), buffer, kMessage, timeout)) break;
    result.round_trips_ns.push_back(NowNs() - asked_ns);
  }
  if (result.connect_error == 0) SendFor(fd.get(), plan.bulk, timeout);
  fd.Reset();
  ::shutdown(listener.get(), SHUT_RDWR);
  serving.join();
  return result;
}

}  // namespace sabot::test
