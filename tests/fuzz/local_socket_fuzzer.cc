// SPDX-License-Identifier: Apache-2.0
//
// What peers send to the local socket: the same frames must come out however the stream is cut, and requests
// must survive being read.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/local_socket.h"

namespace {

using sabot::agent::FrameParser;

void Check(bool holds) {
  if (!holds) std::abort();
}

struct Frames {
  std::vector<std::string> payloads;
  bool broken = false;
};

void Drain(FrameParser& parser, Frames& frames) {
  while (true) {
    auto frame = parser.Next();
    if (!frame.ok()) frames.broken = true;
    if (!frame.ok() || !frame->has_value()) return;
    frames.payloads.push_back(**frame);
  }
}

Frames Parse(std::string_view stream, size_t step) {
  FrameParser parser;
  Frames frames;
  while (!stream.empty()) {
    parser.Feed(stream.substr(0, step));
    stream.remove_prefix(std::min(step, stream.size()));
    Drain(parser, frames);
    Check(parser.buffered() <= sabot::agent::kMaxLocalFrame + 4 + step);
  }
  return frames;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  Frames whole = Parse(stream, stream.size());
  Frames cut = Parse(stream, 1 + data[0] % 16);
  Check(whole.payloads == cut.payloads && whole.broken == cut.broken);
  std::string again;
  for (const std::string& payload : whole.payloads) {
    again += sabot::agent::MakeFrame(payload);
    sabot::v1::LocalRequest request;
    if (request.ParseFromString(payload))
      Check(request.SerializeAsString().size() <= payload.size() * 2 + 16);
  }
  Check(stream.substr(0, again.size()) == again);
  return 0;
}
