// SPDX-License-Identifier: Apache-2.0
#include "tests/support/udp_proxy.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "tests/support/clock.h"
#include "tests/support/require.h"

namespace sabot::test {
namespace {

struct Held {
  int64_t due_ns;
  std::string content;
};

bool IsEvery(int64_t number, int every) { return every > 0 && number % every == 0; }

}  // namespace

UdpProxy::UdpProxy(const Host& at, Family family, const sockaddr_storage& destination,
                   const Mistreatment& mistreatment)
    : mistreatment_(mistreatment), address_(at.address(family).Socket(0)) {
  int buffer = 16 << 20;
  in_ = at.Socket(address_.ss_family, SOCK_DGRAM);
  out_ = at.Socket(address_.ss_family, SOCK_DGRAM);
  ::setsockopt(in_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer));
  auto* name = reinterpret_cast<sockaddr*>(&address_);
  RequireSyscall(::bind(in_.get(), name, Address::kSocketLength), "bind the relay");
  socklen_t length = sizeof(address_);
  RequireSyscall(::getsockname(in_.get(), name, &length), "getsockname");
  RequireSyscall(
      ::connect(out_.get(), reinterpret_cast<const sockaddr*>(&destination), Address::kSocketLength),
      "connect the relay");
  thread_ = std::thread(&UdpProxy::Relay, this);
}

UdpProxy::~UdpProxy() {
  stop_ = true;
  thread_.join();
}

void UdpProxy::Relay() {
  std::deque<Held> queue;
  std::optional<Held> swapped;
  int64_t number = 0;
  BecomeUrgent();
  while (!stop_) {
    int64_t wait_ns = queue.empty() ? 10'000'000 : std::max<int64_t>(0, queue.front().due_ns - NowNs());
    timespec timeout{.tv_sec = wait_ns / 1'000'000'000, .tv_nsec = wait_ns % 1'000'000'000};
    pollfd readable{in_.get(), POLLIN, 0};
    ::ppoll(&readable, 1, &timeout, nullptr);
    char buffer[2048];
    ssize_t n = ::recv(in_.get(), buffer, sizeof(buffer), MSG_DONTWAIT);
    if (n >= 0 && !IsEvery(++number, mistreatment_.lose_every)) {
      Held held{NowNs() + absl::ToInt64Nanoseconds(mistreatment_.delay),
                std::string(buffer, static_cast<size_t>(n))};
      if (IsEvery(number, mistreatment_.corrupt_every)) held.content.back() ^= 0x10;
      if (IsEvery(number, mistreatment_.swap_every)) {
        swapped = held;
        continue;
      }
      queue.push_back(held);
      if (IsEvery(number, mistreatment_.duplicate_every)) queue.push_back(held);
      if (swapped.has_value()) queue.push_back(*std::exchange(swapped, std::nullopt));
    }
    for (; !queue.empty() && queue.front().due_ns <= NowNs(); queue.pop_front()) {
      ::send(out_.get(), queue.front().content.data(), queue.front().content.size(), 0);
    }
  }
}

}  // namespace sabot::test
