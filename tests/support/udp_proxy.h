// SPDX-License-Identifier: Apache-2.0
//
// A user-space relay that mistreats datagrams in a way known beforehand: the yardstick against which the
// probes are checked, with nothing of the product in it.
#ifndef SABOT_TESTS_SUPPORT_UDP_PROXY_H_
#define SABOT_TESTS_SUPPORT_UDP_PROXY_H_

#include <atomic>
#include <cstdint>
#include <thread>

#include "absl/time/time.h"
#include "tests/support/network.h"

namespace sabot::test {

struct Mistreatment {
  int lose_every = 0;       // the n-th, 2n-th, ... datagram is dropped; 0: none
  int duplicate_every = 0;  // sent twice
  int corrupt_every = 0;    // one bit flipped
  int swap_every = 0;       // sent after its successor
  absl::Duration delay = absl::ZeroDuration();
};

// Relays what comes to `address()`, until destroyed. One thread.
class UdpProxy {
 public:
  UdpProxy(const Host& at, Family family, const sockaddr_storage& destination,
           const Mistreatment& mistreatment);
  UdpProxy(const UdpProxy&) = delete;
  UdpProxy& operator=(const UdpProxy&) = delete;
  ~UdpProxy();

  sockaddr_storage address() const { return address_; }

 private:
  void Relay();

  Mistreatment mistreatment_;
  sockaddr_storage address_;
  loader::UniqueFd in_, out_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace sabot::test

#endif  // SABOT_TESTS_SUPPORT_UDP_PROXY_H_
