// SPDX-License-Identifier: Apache-2.0
//
// Bytes of the API server → objects. Pure; any bytes give objects or an error that says what is wrong with
// them, and never more memory than a small multiple of their length.
#ifndef SABOT_CONTROLLER_KUBE_CODEC_H_
#define SABOT_CONTROLLER_KUBE_CODEC_H_

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include <google/protobuf/message.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "controller/kube/object.h"

namespace sabot::kube {

// How the objects of a resource are encoded. A value that may be copied.
class Codec {
 public:
  // Custom resources and everything else without a message: all fields are kept.
  static Codec Json() { return Codec(nullptr); }
  // Of the fields that arrive, those that `prototype` declares are kept. It must outlive the codec; the
  // default instance of a generated message does.
  static Codec Protobuf(const google::protobuf::Message& prototype) { return Codec(&prototype); }

  bool is_protobuf() const { return prototype_ != nullptr; }
  // For the header Accept.
  std::string_view list_type() const;
  std::string_view watch_type() const;

  absl::StatusOr<Page> DecodeList(std::string_view body) const;
  // One event of a watch, without its frame. An event of type ERROR is an error with the code of StatusOf().
  absl::StatusOr<WatchEvent> DecodeEvent(std::string_view event) const;

 private:
  explicit Codec(const google::protobuf::Message* prototype) : prototype_(prototype) {}
  absl::StatusOr<Object> Reduce(std::string_view raw, std::string* resource_version) const;

  const google::protobuf::Message* prototype_;
};

// Cuts the stream of a watch into events: JSON by lines, protobuf by lengths.
class FrameReader {
 public:
  static constexpr size_t kMaxFrame = 32 << 20;

  explicit FrameReader(bool protobuf) : protobuf_(protobuf) {}

  // Calls `handle` for each event that is complete with `bytes`. Stops with its error, or with one of its own
  // when a frame is larger than kMaxFrame; then nothing more may come.
  absl::Status Feed(std::string_view bytes, const std::function<absl::Status(std::string_view)>& handle);
  // The stream has ended: an error if that was within an event.
  absl::Status Finish() const;

 private:
  bool protobuf_;
  std::string rest_;
};

// An answer of the API server that is no success, as a status: NotFound 404, AlreadyExists or Aborted 409,
// OutOfRange 410 and reason Expired, PermissionDenied 403, Unauthenticated 401, ResourceExhausted 429,
// InvalidArgument for other 4xx, Unavailable for 5xx. `body` is a Status in JSON or protobuf, or anything.
absl::Status StatusOf(int http_code, std::string_view body);
absl::Status StatusOf(int code, std::string_view reason, std::string_view message);

}  // namespace sabot::kube

#endif  // SABOT_CONTROLLER_KUBE_CODEC_H_
