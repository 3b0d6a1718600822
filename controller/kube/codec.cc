// SPDX-License-Identifier: Apache-2.0
#include "controller/kube/codec.h"

#include <memory>
#include <utility>

#include <nlohmann/json.hpp>

#include "controller/api/str_cat.h"
#include "k8s/v1.pb.h"
#include "loader/status.h"

namespace sabot::kube {
namespace {

using api::StrCat;
using nlohmann::json;
namespace pb = k8s::v1;

constexpr std::string_view kMagic("k8s\0", 4);
constexpr std::string_view kInitialEventsEnd = "k8s.io/initial-events-end";

absl::Status Broken(std::string_view what) { return absl::DataLossError(StrCat("API server sent ", what)); }

std::string KeyOf(std::string_view ns, std::string_view name) {
  return ns.empty() ? std::string(name) : StrCat(ns, "/", name);
}

// What stands in "k8s\0" + Unknown.
absl::StatusOr<pb::Unknown> Unwrap(std::string_view bytes) {
  pb::Unknown unknown;
  if (!bytes.starts_with(kMagic)) return Broken("protobuf without its prefix");
  bytes.remove_prefix(kMagic.size());
  if (!unknown.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return Broken("broken protobuf");
  return unknown;
}

absl::StatusOr<json> ParseJson(std::string_view bytes) {
  json value = json::parse(bytes, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded() || !value.is_object()) return Broken("broken JSON");
  return value;
}

// A member that is text, or "".
std::string Text(const json& object, std::string_view name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

json Member(const json& object, std::string_view name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && found != object.end() ? *found : json();
}

// nlohmann throws on text that is not UTF-8; what came from its parser is UTF-8.
std::string Dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

Object FromJson(const json& value, std::string* resource_version) {
  const json metadata = Member(value, "metadata");
  *resource_version = Text(metadata, "resourceVersion");
  return {KeyOf(Text(metadata, "namespace"), Text(metadata, "name")), Dump(value)};
}

// The items of a list do not say of which kind they are; the list does.
void NameKind(const json& list, json& item) {
  std::string kind = Text(list, "kind");
  if (!item.is_object() || !kind.ends_with("List")) return;
  kind.resize(kind.size() - 4);
  item.emplace("kind", kind);
  item.emplace("apiVersion", Text(list, "apiVersion"));
}

absl::StatusOr<Page> DecodeJsonList(std::string_view body) {
  SABOT_ASSIGN_OR_RETURN(json list, ParseJson(body));
  Page page;
  const json metadata = Member(list, "metadata");
  page.resource_version = Text(metadata, "resourceVersion");
  page.continue_token = Text(metadata, "continue");
  json items = Member(list, "items");
  if (!items.is_array() && !items.is_null()) return Broken("a list whose items are none");
  for (json& item : items) {
    NameKind(list, item);
    std::string version;
    page.objects.push_back(FromJson(item, &version));
    if (page.objects.back().key.empty()) return Broken("an object without a name");
  }
  return page;
}

absl::StatusOr<WatchEvent::Type> TypeOf(std::string_view text) {
  if (text == "ADDED") return WatchEvent::Type::kAdded;
  if (text == "MODIFIED") return WatchEvent::Type::kModified;
  if (text == "DELETED") return WatchEvent::Type::kDeleted;
  if (text == "BOOKMARK") return WatchEvent::Type::kBookmark;
  return Broken("an event of unknown type");
}

absl::StatusOr<WatchEvent> DecodeJsonEvent(std::string_view bytes) {
  SABOT_ASSIGN_OR_RETURN(json value, ParseJson(bytes));
  const json object = Member(value, "object");
  if (Text(value, "type") == "ERROR") return StatusOf(0, Dump(object));
  WatchEvent event;
  SABOT_ASSIGN_OR_RETURN(event.type, TypeOf(Text(value, "type")));
  event.object = FromJson(object, &event.resource_version);
  if (event.type == WatchEvent::Type::kBookmark) {
    const json annotations = Member(Member(object, "metadata"), "annotations");
    event.initial_events_end = Text(annotations, kInitialEventsEnd) == "true";
  } else if (event.object.key.empty()) {
    return Broken("an event of an object without a name");
  }
  return event;
}

}  // namespace

std::string_view Codec::list_type() const {
  return is_protobuf() ? "application/vnd.kubernetes.protobuf" : "application/json";
}

std::string_view Codec::watch_type() const {
  return is_protobuf() ? "application/vnd.kubernetes.protobuf;stream=watch" : "application/json";
}

absl::StatusOr<Object> Codec::Reduce(std::string_view raw, std::string* resource_version) const {
  const std::unique_ptr<google::protobuf::Message> message(prototype_->New());
  pb::AnyObject any;
  if (!message->ParseFromArray(raw.data(), static_cast<int>(raw.size())) ||
      !any.ParseFromArray(raw.data(), static_cast<int>(raw.size()))) {
    return Broken("a broken object");
  }
  message->DiscardUnknownFields();
  *resource_version = any.metadata().resource_version();
  return Object{KeyOf(any.metadata().namespace_(), any.metadata().name()), message->SerializeAsString()};
}

absl::StatusOr<Page> Codec::DecodeList(std::string_view body) const {
  if (!is_protobuf()) return DecodeJsonList(body);
  SABOT_ASSIGN_OR_RETURN(const pb::Unknown unknown, Unwrap(body));
  pb::AnyList list;
  if (!list.ParseFromString(unknown.raw())) return Broken("a broken list");
  Page page;
  page.resource_version = list.metadata().resource_version();
  page.continue_token = list.metadata().continue_();
  page.objects.reserve(list.items_size());
  for (const std::string& item : list.items()) {
    std::string version;
    SABOT_ASSIGN_OR_RETURN(Object object, Reduce(item, &version));
    if (object.key.empty()) return Broken("an object without a name");
    page.objects.push_back(std::move(object));
  }
  return page;
}

absl::StatusOr<WatchEvent> Codec::DecodeEvent(std::string_view bytes) const {
  if (!is_protobuf()) return DecodeJsonEvent(bytes);
  pb::WatchEvent frame;
  if (!frame.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return Broken("a broken event");
  if (frame.type() == "ERROR") return StatusOf(0, frame.object().raw());
  WatchEvent event;
  SABOT_ASSIGN_OR_RETURN(event.type, TypeOf(frame.type()));
  SABOT_ASSIGN_OR_RETURN(const pb::Unknown unknown, Unwrap(frame.object().raw()));
  SABOT_ASSIGN_OR_RETURN(event.object, Reduce(unknown.raw(), &event.resource_version));
  if (event.type == WatchEvent::Type::kBookmark) {
    pb::AnyObject any;
    if (!any.ParseFromString(unknown.raw())) return Broken("a broken bookmark");
    const auto& annotations = any.metadata().annotations();
    const auto end = annotations.find(std::string(kInitialEventsEnd));
    event.initial_events_end = end != annotations.end() && end->second == "true";
  } else if (event.object.key.empty()) {
    return Broken("an event of an object without a name");
  }
  return event;
}

absl::Status FrameReader::Feed(std::string_view bytes,
                               const std::function<absl::Status(std::string_view)>& handle) {
  rest_.append(bytes);
  std::string_view left = rest_;
  absl::Status status;
  while (status.ok() && !left.empty()) {
    size_t head = 0;
    size_t length = 0;
    if (protobuf_) {
      if (left.size() < 4) break;
      for (int i = 0; i < 4; ++i) length = length << 8 | static_cast<unsigned char>(left[i]);
      head = 4;
    } else {
      length = left.find('\n');
    }
    if (length > kMaxFrame && (protobuf_ || left.size() > kMaxFrame)) {
      status = Broken("an event that is too large");
      break;
    }
    if (length == left.npos || left.size() - head < length) break;
    // Lines that only keep the connection alive are empty.
    if (length > 0) status = handle(left.substr(head, length));
    left.remove_prefix(head + length + (protobuf_ ? 0 : 1));
  }
  rest_.erase(0, rest_.size() - left.size());
  return status;
}

absl::Status FrameReader::Finish() const {
  return rest_.empty() ? absl::OkStatus()
                       : absl::UnavailableError("the stream of a watch ended within an event");
}

absl::Status StatusOf(int code, std::string_view reason, std::string_view message) {
  absl::StatusCode kind = absl::StatusCode::kUnavailable;
  if (code >= 400 && code < 500) kind = absl::StatusCode::kInvalidArgument;
  if (code == 401) kind = absl::StatusCode::kUnauthenticated;
  if (code == 403) kind = absl::StatusCode::kPermissionDenied;
  if (code == 404) kind = absl::StatusCode::kNotFound;
  if (code == 409) kind = absl::StatusCode::kAborted;
  if (code == 429) kind = absl::StatusCode::kResourceExhausted;
  if (reason == "AlreadyExists") kind = absl::StatusCode::kAlreadyExists;
  if (code == 410 || reason == "Expired" || reason == "Gone") kind = absl::StatusCode::kOutOfRange;
  const std::string text = StrCat("API server: ", code, " ", reason, reason.empty() ? "" : ": ", message);
  return absl::Status(kind, text);
}

absl::Status StatusOf(int http_code, std::string_view body) {
  constexpr size_t kMaxMessage = 2000;
  pb::Status status;
  if (const absl::StatusOr<pb::Unknown> unknown = Unwrap(body); unknown.ok()) {
    (void)status.ParseFromString(unknown->raw());
  } else if (const absl::StatusOr<json> value = ParseJson(body); value.ok()) {
    status.set_message(Text(*value, "message"));
    status.set_reason(Text(*value, "reason"));
    const json code = Member(*value, "code");
    if (code.is_number_integer()) status.set_code(code.get<int>());
  } else {
    status.set_message(std::string(body));
  }
  // A success never gets here: whatever the code, this is a failure.
  const int code = status.code() > 0 ? status.code() : http_code;
  return StatusOf(code, status.reason(), std::string_view(status.message()).substr(0, kMaxMessage));
}

}  // namespace sabot::kube
