// SPDX-License-Identifier: Apache-2.0
//
// Everything that reads bytes of netlink, on bytes that no kernel would send. The input is taken as a
// datagram of messages, and each message is given to every reader.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "loader/netlink_address.h"
#include "loader/netlink_filter.h"
#include "loader/netlink_link.h"
#include "loader/netlink_qdisc.h"
#include "loader/netlink_wire.h"

namespace sabot::loader {
namespace {

void ReadEveryWay(ByteSpan message) {
  if (auto link = ParseLink(message); link && link->name.size() > message.size()) std::abort();
  if (auto filter = ParseFilter(message); filter && filter->at.handle == 0) std::abort();
  if (auto qdisc = ParseQdisc(message); qdisc && qdisc->spec.options.size() > message.size()) std::abort();
  auto address = ParseAddress(message);
  if (address && !IpPrefix::Parse(address->prefix.ToString()).ok()) std::abort();
  if (WireAck ack = ReadAck(message); ack.error < 0 || ack.text.size() > message.size()) std::abort();
}

// A copy that ends where the message ends, so that a sanitizer sees every byte that is read beyond.
void ReadEveryWayAlone(ByteSpan message) {
  std::vector<std::byte> alone(message.begin(), message.end());
  alone.shrink_to_fit();
  ReadEveryWay(alone);
}

}  // namespace
}  // namespace sabot::loader

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sabot::loader;
  ByteSpan input = std::as_bytes(std::span(data, size));
  ReadEveryWayAlone(input);
  for (ByteSpan message : SplitMessages(input)) ReadEveryWayAlone(message);
  IpPrefix::Parse(std::string_view(reinterpret_cast<const char*>(data), size)).IgnoreError();
  return 0;
}
