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
struct nl_msg;

namespace sabot::loader {

struct NlSocketFree {
  void operator()(nl_sock* socket) const;
};
struct NlMessageFree {
  void operator()(nl_msg* message) const;
};
using NlSocketPtr = std::unique_ptr<nl_sock, NlSocketFree>;
using NlMessagePtr = std::unique_ptr<nl_msg, NlMessageFree>;

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

  // The answer to one request: `error` is a positive errno or 0, `text` what the kernel added to it, often
  // empty.
  struct Ack {
    int error = 0;
    std::string text;
    bool ok() const { return error == 0; }
  };
  // Sends `message` and waits for its acknowledgement. A status only if the talk itself failed.
  absl::StatusOr<Ack> Exchange(nl_msg* message);
  // The same, with a refusal by the kernel made a status that begins with `attempt`.
  absl::Status Request(nl_msg* message, std::string_view attempt);
  // Sends the dump request `message`; every answer is one whole netlink message, header included. A dump that
  // the kernel says was disturbed by a change is repeated.
  absl::StatusOr<std::vector<std::vector<std::byte>>> Dump(nl_msg* message, std::string_view attempt);

 private:
  Netlink(NlSocketPtr socket, uint64_t netns_inode) : socket_(std::move(socket)), netns_inode_(netns_inode) {}

  NlSocketPtr socket_;
  uint64_t netns_inode_ = 0;
};

}  // namespace sabot::loader

#endif  // SABOT_LOADER_NETLINK_H_
