// SPDX-License-Identifier: Apache-2.0
#include "loader/netlink_wire.h"

namespace sabot::loader {
namespace {

std::string TextOf(ByteSpan payload) {
  if (payload.empty()) return {};
  const char* text = reinterpret_cast<const char*>(payload.data());
  return std::string(text, ::strnlen(text, payload.size()));
}

// What of `bytes` remains after an element of `size` and its padding.
ByteSpan After(ByteSpan bytes, size_t size) { return bytes.subspan(std::min(bytes.size(), WireAlign(size))); }

// The kernel's text stands in attributes behind the error, and, if the request was sent back whole, behind
// that.
std::string AckText(const nlmsghdr& header, ByteSpan body) {
  if (!(header.nlmsg_flags & NLM_F_ACK_TLVS)) return {};
  size_t skip = sizeof(int);
  if (header.nlmsg_type == NLMSG_ERROR) {
    std::optional<nlmsgerr> error = ReadAs<nlmsgerr>(body);
    if (!error) return {};
    bool capped = header.nlmsg_flags & NLM_F_CAPPED;
    skip = sizeof(nlmsgerr) +
           (capped || error->msg.nlmsg_len < NLMSG_HDRLEN ? 0 : error->msg.nlmsg_len - NLMSG_HDRLEN);
  }
  return Attributes(After(body, skip)).Text(NLMSGERR_ATTR_MSG);
}

}  // namespace

std::optional<ByteSpan> Attributes::Find(uint16_t type) const {
  for (ByteSpan rest = bytes_; !rest.empty();) {
    std::optional<nlattr> header = ReadAs<nlattr>(rest);
    if (!header || header->nla_len < sizeof(nlattr) || header->nla_len > rest.size()) return std::nullopt;
    if ((header->nla_type & NLA_TYPE_MASK) == type) {
      return rest.subspan(sizeof(nlattr), header->nla_len - sizeof(nlattr));
    }
    rest = After(rest, header->nla_len);
  }
  return std::nullopt;
}

std::string Attributes::Text(uint16_t type) const {
  std::optional<ByteSpan> payload = Find(type);
  return payload ? TextOf(*payload) : std::string();
}

std::optional<ByteSpan> MessageBody(ByteSpan message, uint16_t type) {
  std::optional<nlmsghdr> header = ReadAs<nlmsghdr>(message);
  if (!header || header->nlmsg_type != type) return std::nullopt;
  if (header->nlmsg_len < sizeof(nlmsghdr) || header->nlmsg_len > message.size()) return std::nullopt;
  return message.subspan(sizeof(nlmsghdr), header->nlmsg_len - sizeof(nlmsghdr));
}

std::vector<ByteSpan> SplitMessages(ByteSpan datagram) {
  std::vector<ByteSpan> messages;
  while (std::optional<nlmsghdr> header = ReadAs<nlmsghdr>(datagram)) {
    if (header->nlmsg_len < sizeof(nlmsghdr) || header->nlmsg_len > datagram.size()) break;
    messages.push_back(datagram.first(header->nlmsg_len));
    datagram = After(datagram, header->nlmsg_len);
  }
  return messages;
}

WireAck ReadAck(ByteSpan message) {
  std::optional<nlmsghdr> header = ReadAs<nlmsghdr>(message);
  if (!header || message.size() < sizeof(nlmsghdr) + sizeof(int)) return {};
  ByteSpan body = message.subspan(sizeof(nlmsghdr));
  int error = *ReadAs<int>(body);
  // -INT_MIN is not an int; the kernel has no such error.
  return {error < 0 && error >= -4095 ? -error : 0, AckText(*header, body)};
}

WireWriter& WireWriter::Append(ByteSpan bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  bytes_.resize(WireAlign(bytes_.size()));
  return *this;
}

WireWriter& WireWriter::Attribute(uint16_t type, ByteSpan payload) {
  overflowed_ |= payload.size() > UINT16_MAX - sizeof(nlattr);
  nlattr header{.nla_len = static_cast<uint16_t>(sizeof(nlattr) + payload.size()), .nla_type = type};
  Struct(header);
  return Append(payload);
}

WireWriter& WireWriter::Text(uint16_t type, std::string_view text) {
  std::string terminated(text);
  return Attribute(type, std::as_bytes(std::span(terminated.c_str(), terminated.size() + 1)));
}

}  // namespace sabot::loader
