// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/pacer/traffic.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <random>
#include <thread>

#include "absl/time/clock.h"
#include "agent/pacer/clock.h"

namespace sabot::pacer {
namespace {

using loader::UniqueFd;

constexpr uint16_t kPort = 7000;
constexpr size_t kBlock = 256 << 10;

struct Endpoint {
  sockaddr_storage address = {};
  socklen_t length = 0;
};

Endpoint Receiver(Family family) {
  Endpoint endpoint;
  if (family == Family::kIpv4) {
    auto* in = reinterpret_cast<sockaddr_in*>(&endpoint.address);
    *in = {.sin_family = AF_INET, .sin_port = htons(kPort)};
    inet_pton(AF_INET, "10.0.0.2", &in->sin_addr);
    endpoint.length = sizeof(*in);
  } else {
    auto* in6 = reinterpret_cast<sockaddr_in6*>(&endpoint.address);
    *in6 = {.sin6_family = AF_INET6, .sin6_port = htons(kPort)};
    inet_pton(AF_INET6, "fd00::2", &in6->sin6_addr);
    endpoint.length = sizeof(*in6);
  }
  return endpoint;
}

UniqueFd Socket(const Namespace& where, Family family, int type) {
  UniqueFd made;
  where.Run([&] {
    made.Reset(socket(family == Family::kIpv4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, 0));
    Need(made.valid(), "open a socket");
  });
  return made;
}

void Set(int fd, int level, int option, int value) {
  Need(setsockopt(fd, level, option, &value, sizeof(value)) == 0, "set a socket option");
}

void SetPatience(int fd, absl::Duration patience) {
  timeval value = absl::ToTimeval(patience);
  Need(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &value, sizeof(value)) == 0, "set a receive timeout");
}

UniqueFd BoundSocket(const Lab& lab, Family family, int type) {
  UniqueFd fd = Socket(lab.receiver, family, type);
  Endpoint here = Receiver(family);
  Set(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  Need(bind(fd.get(), reinterpret_cast<sockaddr*>(&here.address), here.length) == 0, "bind");
  return fd;
}

UniqueFd ConnectedSocket(const Lab& lab, Family family, int type) {
  UniqueFd fd = Socket(lab.sender, family, type);
  Endpoint there = Receiver(family);
  Need(connect(fd.get(), reinterpret_cast<sockaddr*>(&there.address), there.length) == 0, "connect");
  return fd;
}

// A datagram: when it was sent (CLOCK_REALTIME, as the kernel's time stamps), its number, and bytes that
// follow from the number.
struct Stamp {
  uint64_t sent_ns;
  uint64_t number;
};

void Fill(uint8_t* datagram, size_t bytes, uint64_t number) {
  Stamp stamp = {NowNs(CLOCK_REALTIME), number};
  std::memcpy(datagram, &stamp, sizeof(stamp));
  for (size_t i = sizeof(stamp); i < bytes; ++i) datagram[i] = static_cast<uint8_t>(number + i);
}

bool Intact(const uint8_t* datagram, size_t bytes, uint64_t number) {
  for (size_t i = sizeof(Stamp); i < bytes; ++i)
    if (datagram[i] != static_cast<uint8_t>(number + i)) return false;
  return true;
}

uint64_t KernelStamp(msghdr& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_TIMESTAMPNS) continue;
    timespec stamp;
    std::memcpy(&stamp, CMSG_DATA(part), sizeof(stamp));
    return stamp.tv_sec * kSecond + stamp.tv_nsec;
  }
  return 0;
}

void SendAll(int fd, const Datagrams& plan) {
  std::vector<uint8_t> buffer(static_cast<size_t>(plan.payload_bytes) * plan.per_send);
  if (plan.per_send > 1) Set(fd, SOL_UDP, UDP_SEGMENT, plan.payload_bytes);
  auto next = std::chrono::steady_clock::now();
  for (int number = 0; number < plan.count;) {
    std::this_thread::sleep_until(next);
    next += std::chrono::nanoseconds(absl::ToInt64Nanoseconds(plan.gap));
    for (int part = 0; part < plan.per_send; ++part, ++number)
      Fill(&buffer[part * plan.payload_bytes], plan.payload_bytes, number);
    Need(send(fd, buffer.data(), buffer.size(), 0) > 0, "send a datagram");
  }
}

void ReceiveAll(int fd, const Datagrams& plan, Delays& delays) {
  std::vector<uint8_t> buffer(1 << 16);
  uint64_t expected = 0;
  for (int got = 0; got < plan.count; ++got) {
    char control[256];
    iovec part = {buffer.data(), buffer.size()};
    msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    ssize_t bytes = recvmsg(fd, &message, 0);
    if (bytes < 0) return;
    uint64_t now = NowNs(CLOCK_REALTIME);
    Stamp stamp;
    std::memcpy(&stamp, buffer.data(), sizeof(stamp));
    if (bytes != plan.payload_bytes || !Intact(buffer.data(), bytes, stamp.number)) continue;
    delays.reordered += stamp.number < expected;
    expected = std::max(expected, stamp.number + 1);
    delays.wire_ms.push_back((KernelStamp(message) - stamp.sent_ns) / 1e6);
    delays.program_ms.push_back((now - stamp.sent_ns) / 1e6);
  }
}

// A socket that sees every frame of the receiver's device.
UniqueFd CaptureSocket(const Lab& lab) {
  UniqueFd fd;
  lab.receiver.Run([&] {
    fd.Reset(socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ALL)));
    Need(fd.valid(), "open a packet socket");
  });
  Set(fd.get(), SOL_PACKET, PACKET_AUXDATA, 1);
  return fd;
}

int VlanOf(msghdr& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_PACKET || part->cmsg_type != PACKET_AUXDATA) continue;
    tpacket_auxdata data;
    std::memcpy(&data, CMSG_DATA(part), sizeof(data));
    if (data.tp_status & TP_STATUS_VLAN_VALID) return data.tp_vlan_tci & 0xfff;
  }
  return -1;
}

// Blocks of bytes that differ from place to place in the stream.
std::vector<uint64_t> Pattern() {
  std::mt19937_64 random(1);
  std::vector<uint64_t> words(2 * kBlock / sizeof(uint64_t) + 2);
  for (uint64_t& word : words) word = random();
  return words;
}
// An odd period, so that no segment boundary ever falls on the same place twice in a row.
constexpr size_t kPatternPeriod = kBlock + 1;

void SendStream(int fd, const Flows& plan, const char* pattern) {
  auto end = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(plan.duration);
  uint64_t sent = 0;
  while (plan.bytes ? sent < plan.bytes : std::chrono::steady_clock::now() < end) {
    size_t part = plan.bytes ? std::min<uint64_t>(kBlock, plan.bytes - sent) : kBlock;
    ssize_t put = send(fd, pattern + sent % kPatternPeriod, part, MSG_NOSIGNAL);
    if (put <= 0) return;
    sent += put;
  }
}

void ReceiveStream(int fd, const Flows& plan, const char* pattern, std::atomic<uint64_t>& bytes,
                   std::atomic<bool>& intact) {
  std::vector<char> buffer(kBlock);
  uint64_t at = 0;
  while (true) {
    ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
    if (got <= 0) return;
    if (plan.bytes && std::memcmp(buffer.data(), pattern + at % kPatternPeriod, got) != 0) intact = false;
    at += got;
    bytes += got;
  }
}

}  // namespace

double Percentile(const std::vector<double>& ascending, double fraction) {
  if (ascending.empty()) return NAN;
  return ascending[std::min(ascending.size() - 1, static_cast<size_t>(ascending.size() * fraction))];
}

Delays SendDatagrams(const Lab& lab, const Datagrams& plan) {
  UniqueFd in = BoundSocket(lab, plan.family, SOCK_DGRAM);
  Set(in.get(), SOL_SOCKET, SO_TIMESTAMPNS, 1);
  Set(in.get(), SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20);
  SetPatience(in.get(), plan.patience);
  UniqueFd out = ConnectedSocket(lab, plan.family, SOCK_DGRAM);
  Delays delays;
  std::thread receiver([&] { ReceiveAll(in.get(), plan, delays); });
  SendAll(out.get(), plan);
  receiver.join();
  std::sort(delays.wire_ms.begin(), delays.wire_ms.end());
  std::sort(delays.program_ms.begin(), delays.program_ms.end());
  return delays;
}

std::vector<VlanFrame> SendAndCapture(const Lab& lab, const Datagrams& plan) {
  constexpr ssize_t kHeaders = sizeof(iphdr) + sizeof(udphdr);
  UniqueFd in = CaptureSocket(lab);
  SetPatience(in.get(), plan.patience);
  UniqueFd out = ConnectedSocket(lab, Family::kIpv4, SOCK_DGRAM);
  SendAll(out.get(), plan);
  std::vector<VlanFrame> frames;
  std::vector<uint8_t> buffer(1 << 16);
  while (true) {
    char control[256];
    iovec part = {buffer.data(), buffer.size()};
    msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    ssize_t bytes = recvmsg(in.get(), &message, 0);
    if (bytes < 0) return frames;
    if (bytes != kHeaders + plan.payload_bytes) continue;
    Stamp stamp;
    std::memcpy(&stamp, &buffer[kHeaders], sizeof(stamp));
    frames.push_back({VlanOf(message), Intact(&buffer[kHeaders], plan.payload_bytes, stamp.number)});
  }
}

Throughput SendFlows(const Lab& lab, const Flows& plan) {
  std::vector<uint64_t> words = Pattern();
  // The pattern, and once more from its start.
  char* pattern = reinterpret_cast<char*>(words.data());
  std::memcpy(pattern + kPatternPeriod, pattern, kBlock);
  UniqueFd listener = BoundSocket(lab, plan.family, SOCK_STREAM);
  SetPatience(listener.get(), absl::Seconds(3));
  Need(listen(listener.get(), plan.count) == 0, "listen");
  std::vector<std::thread> threads;
  std::atomic<uint64_t> bytes = 0;
  std::atomic<bool> intact = true;
  std::vector<UniqueFd> sockets;
  for (int i = 0; i < plan.count; ++i) {
    sockets.push_back(ConnectedSocket(lab, plan.family, SOCK_STREAM));
    sockets.emplace_back(accept(listener.get(), nullptr, nullptr));
    Need(sockets.back().valid(), "accept");
  }
  absl::Time begin = absl::Now();
  for (int i = 0; i < 2 * plan.count; i += 2) {
    int out = sockets[i].get(), in = sockets[i + 1].get();
    threads.emplace_back([&plan, pattern, out] {
      SendStream(out, plan, pattern);
      shutdown(out, SHUT_WR);
    });
    threads.emplace_back([&, in] { ReceiveStream(in, plan, pattern, bytes, intact); });
  }
  for (std::thread& thread : threads) thread.join();
  double seconds = absl::ToDoubleSeconds(absl::Now() - begin);
  return {bytes * 8 / seconds / 1e9, bytes, intact};
}

}  // namespace sabot::pacer
