// SPDX-License-Identifier: Apache-2.0
//
// Reading and writing netlink's bytes, for the other netlink_*.cc. Pure. Readers never look beyond the span
// they are given, whatever the lengths inside it say; the kernel of a node is trusted, the fuzzer is not.
#ifndef SABOT_LOADER_NETLINK_WIRE_H_
#define SABOT_LOADER_NETLINK_WIRE_H_

#include <linux/netlink.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace sabot::loader {

using ByteSpan = std::span<const std::byte>;

// The first bytes of `bytes` as a T, or nullopt if there are fewer than a T needs.
template <typename T>
std::optional<T> ReadAs(ByteSpan bytes) {
  static_assert(std::is_trivially_copyable_v<T>);
  if (bytes.size() < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

// As ReadAs, but a shorter one is filled up with zeros: structs that grew over the years.
template <typename T>
T ReadPrefixOf(ByteSpan bytes) {
  static_assert(std::is_trivially_copyable_v<T>);
  T value{};
  if (!bytes.empty()) std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof(T)));
  return value;
}

// Netlink aligns everything to four bytes.
constexpr size_t WireAlign(size_t size) { return (size + 3) & ~size_t{3}; }

// A sequence of attributes. Borrows the bytes.
class Attributes {
 public:
  explicit Attributes(ByteSpan bytes) : bytes_(bytes) {}

  // The payload of the first attribute of this type; nullopt if there is none before the first malformed one.
  std::optional<ByteSpan> Find(uint16_t type) const;
  // Attributes inside the attribute; none if it is not there.
  Attributes Nested(uint16_t type) const { return Attributes(Find(type).value_or(ByteSpan())); }
  // Text up to its terminator or the end of the attribute; empty if it is not there.
  std::string Text(uint16_t type) const;
  template <typename T>
  std::optional<T> Value(uint16_t type) const {
    std::optional<ByteSpan> payload = Find(type);
    return payload ? ReadAs<T>(*payload) : std::nullopt;
  }

 private:
  ByteSpan bytes_;
};

// One message: its family header H and the attributes after it.
template <typename H>
struct WireMessage {
  H header;
  Attributes attributes;
};

// The part of `message` after its nlmsghdr; nullopt if it is of another type or cut short.
std::optional<ByteSpan> MessageBody(ByteSpan message, uint16_t type);

template <typename H>
std::optional<WireMessage<H>> ReadMessage(ByteSpan message, uint16_t type) {
  std::optional<ByteSpan> body = MessageBody(message, type);
  if (!body) return std::nullopt;
  std::optional<H> header = ReadAs<H>(*body);
  if (!header) return std::nullopt;
  return WireMessage<H>{*header, Attributes(body->subspan(std::min(body->size(), WireAlign(sizeof(H)))))};
}

// Cuts a datagram into its messages, headers included. Stops before the first that is cut short.
std::vector<ByteSpan> SplitMessages(ByteSpan datagram);

// The content of an NLMSG_ERROR message: acknowledgement or refusal. Of NLMSG_DONE too: the result of a dump.
struct WireAck {
  int error = 0;     // positive errno, 0 for success
  std::string text;  // what the kernel added, often empty
};
WireAck ReadAck(ByteSpan message);

// Appends to bytes: structs as they are, attributes with header and padding.
class WireWriter {
 public:
  template <typename T>
  WireWriter& Struct(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    return Append(std::as_bytes(std::span(&value, 1)));
  }
  WireWriter& Attribute(uint16_t type, ByteSpan payload);
  template <typename T>
  WireWriter& Value(uint16_t type, const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    return Attribute(type, std::as_bytes(std::span(&value, 1)));
  }
  // With a terminating zero.
  WireWriter& Text(uint16_t type, std::string_view text);
  WireWriter& Nested(uint16_t type, const WireWriter& inner) {
    overflowed_ |= inner.overflowed_;
    return Attribute(type, inner.bytes_);
  }

  const std::vector<std::byte>& bytes() const { return bytes_; }
  // True if an attribute did not fit into the 16 bits of its length; the bytes are then not to be sent.
  bool overflowed() const { return overflowed_; }

 private:
  WireWriter& Append(ByteSpan bytes);  // padded to four

  std::vector<std::byte> bytes_;
  bool overflowed_ = false;
};

}  // namespace sabot::loader

#endif  // SABOT_LOADER_NETLINK_WIRE_H_
