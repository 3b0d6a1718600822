// SPDX-License-Identifier: Apache-2.0
//
// One rtnetlink socket inside one network namespace. What can be asked through it is in netlink_link.h,
// netlink_address.h, netlink_qdisc.h and netlink_filter.h, as functions that take a Netlink&.
//
// Errors: every message reads "<attempt> on <device> in netns <inode>: <strerror> (<what the kernel said>)".
// The codes are those of absl::ErrnoToStatus (ENODEV and ENOENT kNotFound, EEXIST kAlreadyExists, EPERM
// kPermissionDenied, EBUSY kUnavailable, EINVAL kInvalidArgument), with one addition: a kind of qdisc, link
// or classifier that this kernel does not have is kUnimplemented, and nothing else is but EOPNOTSUPP.
#ifndef SABOT_LOADER_NETLINK_H_
#define SABOT_LOADER_NETLINK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "loader/netns.h"

struct nl_sock;

namespace sabot::loader {

class WireWriter;  // netlink_wire.h

struct NlSocketFree {
  void operator()(nl_sock* socket) const;
};
using NlSocketPtr = std::unique_ptr<nl_sock, NlSocketFree>;

// What the kernel said to one request.
struct NetlinkReply {
  int error = 0;                                 // a positive errno, or 0 for success
  std::string text;                              // what the kernel added to it, often empty
  std::vector<std::vector<std::byte>> messages;  // whole, headers included
  bool disturbed = false;                        // a dump met a change: it may lack or repeat an element
};
// "<attempt>: <strerror> (<text>)"; OK if there was no error.
absl::Status ReplyStatus(const NetlinkReply& reply, const std::string& attempt);

// Move-only. Not thread-safe: one thread at a time, but any thread, since no call enters the namespace.
class Netlink {
 public:
  // Enters `netns` on the calling thread only while the socket is made. The socket keeps the namespace alive.
  static absl::StatusOr<Netlink> Open(const Netns& netns);

  Netlink(Netlink&&) noexcept = default;
  Netlink& operator=(Netlink&&) noexcept = default;

  uint64_t netns_inode() const { return netns_inode_; }
  // "netns 4026532589", for messages.
  std::string Describe() const;

  // The primitives below the typed functions. `type` is RTM_*, `flags` NLM_F_* (REQUEST and ACK are added),
  // `body` the family's header and attributes.
  //
  // Sends one message and collects what comes back. A status, beginning with `attempt`, only if the talk
  // itself failed; a refusal is in the reply.
  absl::StatusOr<NetlinkReply> Exchange(uint16_t type, int flags, const WireWriter& body,
                                        const std::string& attempt);
  // Exchange() where a refusal is a status, too, and no answer but the acknowledgement is expected.
  absl::Status Request(uint16_t type, int flags, const WireWriter& body, const std::string& attempt);
  // A dump, repeated if it was disturbed; kAborted if it is disturbed every time.
  absl::StatusOr<std::vector<std::vector<std::byte>>> Dump(uint16_t type, const WireWriter& body,
                                                           const std::string& attempt);

 private:
  absl::StatusOr<NetlinkReply> Converse(uint16_t type, int flags, const WireWriter& body);

  Netlink(NlSocketPtr socket, uint64_t netns_inode) : socket_(std::move(socket)), netns_inode_(netns_inode) {}

  NlSocketPtr socket_;
  uint64_t netns_inode_ = 0;
};

}  // namespace sabot::loader

#endif  // SABOT_LOADER_NETLINK_H_
