// SPDX-License-Identifier: Apache-2.0
#include "loader/netlink.h"

#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "loader/netlink_wire.h"
#include "loader/status.h"

namespace sabot::loader {
namespace {

constexpr int kDumpAttempts = 10;
// The kernel answers within the send call; this is against an answer that was lost for want of memory.
constexpr timeval kAnswerTimeout{.tv_sec = 10, .tv_usec = 0};

struct MessageFree {
  void operator()(nl_msg* message) const { ::nlmsg_free(message); }
};
using MessagePtr = std::unique_ptr<nl_msg, MessageFree>;

struct BufferFree {
  void operator()(unsigned char* buffer) const { std::free(buffer); }
};

absl::Status LibraryStatus(int result, const std::string& attempt) {
  std::string message = absl::StrCat(attempt, ": ", ::nl_geterror(result));
  switch (-result) {
    case NLE_AGAIN:
      return absl::DeadlineExceededError(message);
    case NLE_NOMEM:
      return absl::ResourceExhaustedError(message);
    case NLE_PERM:
    case NLE_NOACCESS:
      return absl::PermissionDeniedError(message);
    default:
      return absl::UnknownError(message);
  }
}

// The options are refinements: without them messages are bigger and errors have no text.
void SetOptions(nl_sock* socket) {
  int fd = ::nl_socket_get_fd(socket);
  int on = 1;
  ::setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
  ::setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kAnswerTimeout, sizeof(kAnswerTimeout));
  ::nl_socket_enable_msg_peek(socket);
}

absl::StatusOr<NlSocketPtr> Connect(const std::string& attempt) {
  NlSocketPtr socket(::nl_socket_alloc());
  if (!socket) return absl::ResourceExhaustedError(absl::StrCat(attempt, ": out of memory"));
  if (int result = ::nl_connect(socket.get(), NETLINK_ROUTE); result < 0)
    return LibraryStatus(result, attempt);
  SetOptions(socket.get());
  return socket;
}

// Sends the message and returns its sequence number.
absl::StatusOr<uint32_t> Send(nl_sock* socket, uint16_t type, int flags, const WireWriter& body) {
  ByteSpan bytes = body.bytes();
  MessagePtr message(::nlmsg_alloc_size(NLMSG_HDRLEN + bytes.size() + NLMSG_ALIGNTO));
  if (!message || !::nlmsg_put(message.get(), NL_AUTO_PORT, NL_AUTO_SEQ, type, 0, flags) ||
      ::nlmsg_append(message.get(), const_cast<std::byte*>(bytes.data()), bytes.size(), NLMSG_ALIGNTO) < 0) {
    return absl::ResourceExhaustedError("out of memory for a netlink message");
  }
  int result = ::nl_send_auto(socket, message.get());
  if (result < 0) return LibraryStatus(result, "send a netlink message");
  return ::nlmsg_hdr(message.get())->nlmsg_seq;
}

// Takes one message into the reply; true if it was the last of the answer.
bool Take(ByteSpan message, NetlinkReply& reply) {
  nlmsghdr header = *ReadAs<nlmsghdr>(message);
  reply.disturbed |= (header.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
  if (header.nlmsg_type == NLMSG_ERROR || header.nlmsg_type == NLMSG_DONE) {
    WireAck ack = ReadAck(message);
    reply.error = ack.error;
    reply.text = std::move(ack.text);
    return true;
  }
  if (header.nlmsg_type >= NLMSG_MIN_TYPE) reply.messages.emplace_back(message.begin(), message.end());
  return false;
}

// One datagram's messages that answer request `sequence`; older ones belong to a talk that was given up.
bool TakeAll(ByteSpan datagram, uint32_t sequence, NetlinkReply& reply) {
  for (ByteSpan message : SplitMessages(datagram)) {
    if (ReadAs<nlmsghdr>(message)->nlmsg_seq == sequence && Take(message, reply)) return true;
  }
  return false;
}

}  // namespace

void NlSocketFree::operator()(nl_sock* socket) const { ::nl_socket_free(socket); }

absl::Status ReplyStatus(const NetlinkReply& reply, const std::string& attempt) {
  if (reply.error == 0) return absl::OkStatus();
  absl::Status plain = ErrnoStatus(reply.error, attempt);
  if (reply.text.empty()) return plain;
  return absl::Status(plain.code(), absl::StrCat(plain.message(), " (", reply.text, ")"));
}

absl::StatusOr<Netlink> Netlink::Open(const Netns& netns) {
  SABOT_ASSIGN_OR_RETURN(ScopedNetns inside, ScopedNetns::Enter(netns));
  SABOT_ASSIGN_OR_RETURN(NlSocketPtr socket,
                         Connect(absl::StrCat("open a netlink socket in ", netns.Describe())));
  return Netlink(std::move(socket), netns.inode());
}

std::string Netlink::Describe() const { return absl::StrCat("netns ", netns_inode_); }

absl::StatusOr<NetlinkReply> Netlink::Converse(uint16_t type, int flags, const WireWriter& body) {
  if (body.overflowed()) return absl::InvalidArgumentError("a netlink attribute is longer than 65535 bytes");
  SABOT_ASSIGN_OR_RETURN(uint32_t sequence, Send(socket_.get(), type, flags, body));
  NetlinkReply reply;
  for (;;) {
    sockaddr_nl sender{};
    unsigned char* raw = nullptr;
    int size = ::nl_recv(socket_.get(), &sender, &raw, nullptr);
    std::unique_ptr<unsigned char, BufferFree> buffer(raw);
    if (size < 0) return LibraryStatus(size, "receive a netlink answer");
    if (size == 0) return absl::UnavailableError("receive a netlink answer: the socket is closed");
    // Port 0 is the kernel: other processes may write to us, too.
    if (sender.nl_pid != 0) continue;
    if (TakeAll(std::as_bytes(std::span(raw, static_cast<size_t>(size))), sequence, reply)) return reply;
  }
}

absl::StatusOr<NetlinkReply> Netlink::Exchange(uint16_t type, int flags, const WireWriter& body,
                                               const std::string& attempt) {
  absl::StatusOr<NetlinkReply> reply = Converse(type, flags, body);
  if (reply.ok()) return reply;
  return absl::Status(reply.status().code(), absl::StrCat(attempt, ": ", reply.status().message()));
}

absl::Status Netlink::Request(uint16_t type, int flags, const WireWriter& body, const std::string& attempt) {
  SABOT_ASSIGN_OR_RETURN(NetlinkReply reply, Exchange(type, flags, body, attempt));
  return ReplyStatus(reply, attempt);
}

absl::StatusOr<std::vector<std::vector<std::byte>>> Netlink::Dump(uint16_t type, const WireWriter& body,
                                                                  const std::string& attempt) {
  for (int i = 0; i < kDumpAttempts; ++i) {
    SABOT_ASSIGN_OR_RETURN(NetlinkReply reply, Exchange(type, NLM_F_DUMP, body, attempt));
    SABOT_RETURN_IF_ERROR(ReplyStatus(reply, attempt));
    if (!reply.disturbed) return std::move(reply.messages);
  }
  return absl::AbortedError(absl::StrCat(attempt, ": it changed during each of ", kDumpAttempts, " dumps"));
}

}  // namespace sabot::loader
