// SPDX-License-Identifier: Apache-2.0
#include "tests/support/udp_probe.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <random>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/support/clock.h"
#include "tests/support/require.h"
#include "tests/support/statistics.h"

namespace sabot::test {
namespace {

using loader::UniqueFd;

constexpr uint64_t kMagic = 0x5a8075a807e57ULL;
constexpr int kMaxPayload = 2048;
constexpr int kUnbounded = 1'000'000;
// A sender that was held up catches up by at most this much; the rest of the schedule moves.
constexpr int64_t kMaxCatchUpNs = 10'000'000;

struct Header {
  uint64_t magic, stream, sequence;
  int64_t sent_ns;
  uint64_t check;  // over everything else
};

uint64_t Check(const char* packet, size_t length) {
  uint64_t hash = 1469598103934665603ULL;
  for (size_t i = 0; i < length; ++i) {
    bool in_check = i >= offsetof(Header, check) && i < sizeof(Header);
    hash = (hash ^ (in_check ? 0 : static_cast<unsigned char>(packet[i]))) * 1099511628211ULL;
  }
  return hash;
}

UniqueFd BindTo(const Resident& host, const Address& address, int buffer_bytes) {
  sockaddr_storage local = address.Socket(0);
  UniqueFd fd = host.Socket(local.ss_family, SOCK_DGRAM);
  int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &buffer_bytes, sizeof(buffer_bytes));
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
  RequireSyscall(::bind(fd.get(), reinterpret_cast<sockaddr*>(&local), Address::kSocketLength),
                 "bind to " + address.text + " in " + host.role());
  return fd;
}

uint16_t PortOf(int fd) {
  sockaddr_in6 bound{};
  socklen_t length = sizeof(bound);
  RequireSyscall(::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length), "getsockname");
  return ntohs(bound.sin6_port);
}

}  // namespace

struct UdpStream::State {
  ProbePlan plan;
  uint64_t stream = std::random_device{}() * 0x100000001ULL;
  UniqueFd sender, receiver;
  std::atomic<bool> stop_sending = false, stop_receiving = false;
  std::thread send_thread, receive_thread;

  std::mutex mutex;
  Tally tally;
  int64_t highest_received = -1;
  int packets = 0;

  void Send();
  void Receive();
  void SendOne(char* packet, uint64_t sequence);
  void Account(const char* packet, size_t length, int64_t now_ns);
  bool AllArrived();
};

void UdpStream::State::SendOne(char* packet, uint64_t sequence) {
  Header header{kMagic, stream, sequence, NowNs(), 0};
  std::memcpy(packet, &header, sizeof(header));
  header.check = Check(packet, static_cast<size_t>(plan.payload_bytes));
  std::memcpy(packet, &header, sizeof(header));
  {
    std::lock_guard lock(mutex);
    tally.datagrams.push_back({.sent_ns = header.sent_ns});
  }
  ssize_t n = ::send(sender.get(), packet, static_cast<size_t>(plan.payload_bytes), MSG_DONTWAIT);
  int error = n < 0 ? errno : 0;
  std::lock_guard lock(mutex);
  if (error == 0) {
    ++tally.sent;
  } else {
    tally.datagrams[sequence].send_error = error;
    ++tally.send_errors[error];
  }
}

void UdpStream::State::Send() {
  BecomeUrgent();
  char packet[kMaxPayload] = {};
  auto interval_ns = static_cast<int64_t>(1e9 / (plan.rate_pps / TimeScale()));
  int64_t first = NowNs(), next = first;
  for (int i = 0; i < packets && !stop_sending; ++i, next += interval_ns) {
    SleepUntilNs(next);
    next = std::max(next, NowNs() - kMaxCatchUpNs);
    SendOne(packet, static_cast<uint64_t>(i));
  }
  std::lock_guard lock(mutex);
  tally.sending_ns = NowNs() - first;
}

void UdpStream::State::Account(const char* packet, size_t length, int64_t now_ns) {
  Header header{};
  if (length >= sizeof(header)) std::memcpy(&header, packet, sizeof(header));
  bool ours = header.magic == kMagic && header.stream == stream;
  bool intact =
      ours && length == static_cast<size_t>(plan.payload_bytes) && header.check == Check(packet, length);
  std::lock_guard lock(mutex);
  if (!intact || header.sequence >= tally.datagrams.size()) {
    // One flipped bit may hit the magic; anything of our length at our private port was once ours.
    ++(ours || length == static_cast<size_t>(plan.payload_bytes) ? tally.corrupted : tally.strangers);
    return;
  }
  Datagram& datagram = tally.datagrams[header.sequence];
  if (++datagram.copies > 1) {
    ++tally.duplicates;
    return;
  }
  datagram.received_ns = now_ns;
  ++tally.received;
  auto sequence = static_cast<int64_t>(header.sequence);
  if (sequence < highest_received) ++tally.reordered;
  highest_received = std::max(highest_received, sequence);
}

void UdpStream::State::Receive() {
  BecomeUrgent();
  char packet[kMaxPayload];
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(uint32_t))];
  pollfd readable{receiver.get(), POLLIN, 0};
  while (!stop_receiving) {
    if (::poll(&readable, 1, 20) <= 0) continue;
    iovec data{packet, sizeof(packet)};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    ssize_t n = ::recvmsg(receiver.get(), &message, MSG_DONTWAIT);
    int64_t now_ns = NowNs();
    if (n < 0) continue;
    if (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr && header->cmsg_type == SO_RXQ_OVFL) {
      uint32_t dropped = 0;
      std::memcpy(&dropped, CMSG_DATA(header), sizeof(dropped));
      std::lock_guard lock(mutex);
      tally.overflowed = dropped;
    }
    Account(packet, static_cast<size_t>(n), now_ns);
  }
}

bool UdpStream::State::AllArrived() {
  std::lock_guard lock(mutex);
  return tally.received + tally.corrupted >= tally.sent;
}

UdpStream::UdpStream(const Resident& from, const Resident& to, const Address& destination, double rate_pps)
    : UdpStream(from, to, destination, ProbePlan{.rate_pps = rate_pps}, kUnbounded) {}

UdpStream::UdpStream(const Resident& from, const Resident& to, const Address& destination,
                     const ProbePlan& plan, int packets)
    : state_(std::make_unique<State>()) {
  Require(plan.payload_bytes >= static_cast<int>(sizeof(Header)) && plan.payload_bytes <= kMaxPayload,
          "payload_bytes out of range");
  state_->plan = plan;
  state_->packets = packets;
  state_->tally.datagrams.reserve(static_cast<size_t>(std::min(packets, 100'000)));
  state_->receiver = BindTo(to, destination, 16 << 20);
  sockaddr_storage remote = destination.Socket(PortOf(state_->receiver.get()));
  if (plan.via) remote = plan.via(remote);
  state_->sender = from.Socket(remote.ss_family, SOCK_DGRAM);
  if (plan.send_buffer_bytes > 0) {
    ::setsockopt(state_->sender.get(), SOL_SOCKET, SO_SNDBUF, &plan.send_buffer_bytes, sizeof(int));
  }
  RequireSyscall(
      ::connect(state_->sender.get(), reinterpret_cast<sockaddr*>(&remote), Address::kSocketLength),
      "connect from " + from.role() + " to " + destination.text);
  state_->receive_thread = std::thread(&State::Receive, state_.get());
  state_->send_thread = std::thread(&State::Send, state_.get());
}

UdpStream::~UdpStream() {
  if (state_ != nullptr && state_->send_thread.joinable()) Stop(absl::ZeroDuration());
}

bool UdpStream::WaitUntilLast(int count, const std::function<bool(const Datagram&)>& condition,
                              absl::Duration timeout, absl::Duration patience) {
  int64_t deadline_ns = NowNs() + absl::ToInt64Nanoseconds(timeout);
  int64_t start_ns = NowNs();
  int64_t patience_ns = absl::ToInt64Nanoseconds(Scaled(patience));
  while (NowNs() < deadline_ns) {
    {
      std::lock_guard lock(state_->mutex);
      int satisfied = 0;
      for (auto it = state_->tally.datagrams.rbegin(); it != state_->tally.datagrams.rend(); ++it) {
        if (it->sent_ns < start_ns || satisfied == count) break;
        bool known = it->received_ns != 0 || it->refused() || NowNs() - it->sent_ns > patience_ns;
        if (!known) continue;
        if (!condition(*it)) break;
        ++satisfied;
      }
      if (satisfied == count) return true;
    }
    ::usleep(5'000);
  }
  return false;
}

Tally UdpStream::Stop(absl::Duration drain) {
  state_->stop_sending = true;
  if (state_->send_thread.joinable()) state_->send_thread.join();
  // Packets under way are not slowed down as much as processors are.
  int64_t deadline_ns = NowNs() + absl::ToInt64Nanoseconds(std::min(Scaled(drain), 3 * drain));
  while (NowNs() < deadline_ns && !state_->AllArrived()) ::usleep(2'000);
  ::usleep(20'000);  // copies of what has arrived
  state_->stop_receiving = true;
  if (state_->receive_thread.joinable()) state_->receive_thread.join();
  return state_->tally;
}

Tally ProbeUdp(const Resident& from, const Resident& to, const Address& destination, const ProbePlan& plan) {
  UdpStream stream(from, to, destination, plan, plan.packets);
  stream.state_->send_thread.join();
  return stream.Stop(plan.drain);
}

Tally ProbeUdp(const Host& from, const Host& to, Family family, const ProbePlan& plan) {
  return ProbeUdp(from, to, to.address(family), plan);
}

int64_t Tally::DelayPercentileNs(double fraction) const {
  std::vector<int64_t> delays;
  for (const Datagram& datagram : datagrams) {
    if (datagram.received_ns != 0) delays.push_back(datagram.delay_ns());
  }
  return Percentile(std::move(delays), fraction);
}

std::string Tally::Describe() const {
  std::string text = absl::StrCat(
      attempted(), " attempted, ", sent, " sent, ", received, " received, ", duplicates, " duplicated, ",
      reordered, " reordered, ", corrupted, " corrupted, ", strangers, " strange, ", overflowed,
      " overflowed; delay ms min/median/p99 ", static_cast<double>(MinDelayNs()) / 1e6, "/",
      static_cast<double>(MedianDelayNs()) / 1e6, "/", static_cast<double>(DelayPercentileNs(0.99)) / 1e6);
  for (const auto& [error, count] : send_errors)
    absl::StrAppend(&text, "; ", count, " x ", std::strerror(error));
  return text;
}

}  // namespace sabot::test
