// SPDX-License-Identifier: Apache-2.0
//
// Numbered, time-stamped datagrams from one host to another, and an exact account of what became of each.
//
// The probe loses nothing by itself: the receive buffer is large, and what overflows it all the same is
// counted apart (`overflowed`), so a test can tell "the fault lost it" from "the test lost it".
#ifndef SABOT_TESTS_SUPPORT_UDP_PROBE_H_
#define SABOT_TESTS_SUPPORT_UDP_PROBE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/support/network.h"

namespace sabot::test {

struct Datagram {
  int64_t sent_ns = 0;      // of NowNs(), just before it was handed to the kernel
  int64_t received_ns = 0;  // of the first copy; 0: never
  int send_error = 0;       // errno of the send; then it was never on its way
  int copies = 0;

  bool sent() const { return sent_ns != 0 && send_error == 0; }
  bool lost() const { return sent() && received_ns == 0; }
  bool refused() const { return send_error != 0; }
  int64_t delay_ns() const { return received_ns - sent_ns; }
};

struct Tally {
  std::vector<Datagram> datagrams;     // in the order of sending; every attempt
  int64_t sent = 0;                    // accepted by the kernel
  int64_t received = 0;                // distinct ones
  int64_t duplicates = 0;              // further copies
  int64_t reordered = 0;               // arrived after one that was sent later
  int64_t corrupted = 0;               // of this stream, with a content that was not sent; not in `received`
  int64_t strangers = 0;               // anything else that came to the port
  int64_t overflowed = 0;              // dropped by the receiver's socket buffer: the measurement is void
  std::map<int, int64_t> send_errors;  // errno -> how often
  int64_t sending_ns = 0;              // from the first send to the last

  int64_t attempted() const { return static_cast<int64_t>(datagrams.size()); }
  int64_t lost() const { return sent - received; }
  // Of the datagrams that arrived; 0 when none did.
  int64_t DelayPercentileNs(double fraction) const;
  int64_t MinDelayNs() const { return DelayPercentileNs(0); }
  int64_t MedianDelayNs() const { return DelayPercentileNs(0.5); }
  // One line for messages.
  std::string Describe() const;
};

struct ProbePlan {
  int packets = 2000;
  double rate_pps = 5000;  // divided by TimeScale()
  int payload_bytes = 64;  // at least 40
  // How long to wait for what is still under way after the last send; ended early when everything has
  // arrived.
  absl::Duration drain = absl::Milliseconds(300);
  // SO_SNDBUF; 0 keeps the default. A small one makes packets that are held while still charged to their
  // socket visible as EAGAIN.
  int send_buffer_bytes = 0;
  // Told the receiver's address, says where to send instead: to a relay.
  std::function<sockaddr_storage(const sockaddr_storage&)> via = {};
};

// Sends, waits, reports. Blocks for packets / rate + drain.
Tally ProbeUdp(const Host& from, const Host& to, Family family, const ProbePlan& plan = {});
// To another address of the receiver.
Tally ProbeUdp(const Resident& from, const Resident& to, const Address& destination,
               const ProbePlan& plan = {});

// The same without an end, so that a change in mid-stream can be watched.
class UdpStream {
 public:
  UdpStream(const Resident& from, const Resident& to, const Address& destination, double rate_pps = 500);
  UdpStream(const Host& from, const Host& to, Family family, double rate_pps = 500)
      : UdpStream(from, to, to.address(family), rate_pps) {}
  UdpStream(const UdpStream&) = delete;
  UdpStream& operator=(const UdpStream&) = delete;
  ~UdpStream();

  // Waits until the `count` most recent datagrams whose fate is known (arrived, refused, or lost for longer
  // than `patience`) all satisfy `condition`. False on time-out.
  bool WaitUntilLast(int count, const std::function<bool(const Datagram&)>& condition, absl::Duration timeout,
                     absl::Duration patience = absl::Milliseconds(200));
  // Stops sending, drains and reports.
  Tally Stop(absl::Duration drain = absl::Milliseconds(300));

 private:
  friend Tally ProbeUdp(const Resident&, const Resident&, const Address&, const ProbePlan&);
  struct State;
  UdpStream(const Resident& from, const Resident& to, const Address& destination, const ProbePlan& plan,
            int packets);
  std::unique_ptr<State> state_;
};

}  // namespace sabot::test

#endif  // SABOT_TESTS_SUPPORT_UDP_PROBE_H_
