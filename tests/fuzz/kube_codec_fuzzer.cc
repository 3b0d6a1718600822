// SPDX-License-Identifier: Apache-2.0
//
// What an API server could send: lists, watches, errors, in both encodings.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "controller/kube/codec.h"
#include "k8s/v1.pb.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using sabot::kube::Codec;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const Codec& codec : {Codec::Json(), Codec::Protobuf(sabot::k8s::v1::Pod::default_instance())}) {
    (void)codec.DecodeList(bytes);
    sabot::kube::FrameReader frames(codec.is_protobuf());
    (void)frames.Feed(bytes, [&](std::string_view frame) { return codec.DecodeEvent(frame).status(); });
    (void)codec.DecodeEvent(bytes);
  }
  if (sabot::kube::StatusOf(500, bytes).ok()) __builtin_trap();
  return 0;
}
