// SPDX-License-Identifier: Apache-2.0
#include "tools/sabot/demo_traffic.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <vector>

#include "loader/clock.h"
#include "loader/fd.h"

namespace sabot::cli {
namespace {

constexpr uint16_t kPort = 7070;
constexpr size_t kRequest = 64;
constexpr int kPatienceMs = 500;
constexpr useconds_t kThinkUs = 1000;

sockaddr_in Address(in_addr_t host) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(kPort);
  address.sin_addr.s_addr = host;
  return address;
}

void Echo(loader::UniqueFd connection) {
  char buffer[kRequest];
  ssize_t got;
  while ((got = recv(connection.get(), buffer, sizeof(buffer), 0)) > 0) {
    if (send(connection.get(), buffer, static_cast<size_t>(got), MSG_NOSIGNAL) != got) return;
  }
}

bool WaitFor(int fd, short events, uint64_t until_ns) {
  const uint64_t now = loader::MonotonicNs();
  if (now >= until_ns) return false;
  pollfd poll_fd = {.fd = fd, .events = events, .revents = 0};
  return poll(&poll_fd, 1, static_cast<int>((until_ns - now) / 1'000'000) + 1) > 0;
}

loader::UniqueFd Connect(const char* host, uint64_t until_ns) {
  loader::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const sockaddr_in address = Address(inet_addr(host));
  const int one = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) return fd;
  int error = errno == EINPROGRESS && WaitFor(fd.get(), POLLOUT, until_ns) ? 0 : ETIMEDOUT;
  socklen_t size = sizeof(error);
  if (error == 0) getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  return error == 0 ? std::move(fd) : loader::UniqueFd();
}

bool Request(int fd, uint64_t until_ns) {
  char buffer[kRequest] = {};
  if (send(fd, buffer, sizeof(buffer), MSG_NOSIGNAL) != static_cast<ssize_t>(sizeof(buffer))) return false;
  for (size_t got = 0; got < kRequest;) {
    if (!WaitFor(fd, POLLIN, until_ns)) return false;
    const ssize_t more = recv(fd, buffer, sizeof(buffer) - got, 0);
    if (more <= 0) return false;
    got += static_cast<size_t>(more);
  }
  return true;
}

double Percentile(std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1, static_cast<size_t>(share * static_cast<double>(sorted.size())))];
}

class Tally {
 public:
  void Add(bool answered, uint64_t ns) {
    if (answered) {
      latencies_.push_back(static_cast<double>(ns) / 1e6);
    } else {
      ++failed_;
    }
  }

  TrafficReport Take() {
    std::sort(latencies_.begin(), latencies_.end());
    const uint64_t now = loader::MonotonicNs();
    const TrafficReport report = {.answered = static_cast<uint32_t>(latencies_.size()),
                                  .failed = failed_,
                                  .seconds = static_cast<double>(now - since_ns_) / 1e9,
                                  .median_ms = Percentile(latencies_, 0.5),
                                  .p99_ms = Percentile(latencies_, 0.99)};
    latencies_.clear();
    failed_ = 0;
    since_ns_ = now;
    return report;
  }

 private:
  std::vector<double> latencies_;
  uint32_t failed_ = 0;
  uint64_t since_ns_ = loader::MonotonicNs();
};

}  // namespace

void ServeTraffic() {
  loader::UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = Address(INADDR_ANY);
  const int one = 1;
  setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
  if (bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(listener.get(), 64) != 0) {
    _exit(1);
  }
  while (true) {
    loader::UniqueFd connection(accept(listener.get(), nullptr, nullptr));
    if (connection.valid()) std::thread(Echo, std::move(connection)).detach();
  }
}

void MakeTraffic(const char* address, int ask, int tell) {
  loader::UniqueFd connection;
  Tally tally;
  fcntl(ask, F_SETFL, O_NONBLOCK);
  while (true) {
    char byte;
    const ssize_t asked = read(ask, &byte, 1);
    if (asked == 0) return;
    if (asked == 1) {
      const TrafficReport report = tally.Take();
      if (write(tell, &report, sizeof(report)) != static_cast<ssize_t>(sizeof(report))) return;
    }
    const uint64_t begin = loader::MonotonicNs();
    const uint64_t until = begin + kPatienceMs * uint64_t{1'000'000};
    if (!connection.valid()) connection = Connect(address, until);
    const bool answered = connection.valid() && Request(connection.get(), until);
    tally.Add(answered, loader::MonotonicNs() - begin);
    if (!answered) connection.Reset();
    usleep(kThinkUs);
  }
}

}  // namespace sabot::cli
