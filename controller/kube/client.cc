// SPDX-License-Identifier: Apache-2.0
#include "controller/kube/client.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "controller/api/str_cat.h"
#include "controller/kube/backoff.h"
#include "loader/status.h"

namespace sabot::kube {
namespace {

using api::StrCat;
using nlohmann::json;

// A name that is not one segment of a path could address something else.
absl::Status CheckSegments(const Resource& resource, std::string_view name, std::string_view subresource) {
  for (std::string_view segment :
       {std::string_view(resource.group), std::string_view(resource.version),
        std::string_view(resource.plural), std::string_view(resource.ns), name, subresource}) {
    if (segment == "." || segment == ".." || segment.find_first_of("/%?#\r\n") != segment.npos) {
      return absl::InvalidArgumentError(StrCat("\"", segment, "\" is no name"));
    }
  }
  return absl::OkStatus();
}

void AddParameter(std::string& path, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  path += path.find('?') == path.npos ? '?' : '&';
  path += StrCat(name, "=", QueryEscape(value));
}

std::string_view ContentType(PatchType type) {
  switch (type) {
    case PatchType::kJson:
      return "application/json-patch+json";
    case PatchType::kMerge:
      return "application/merge-patch+json";
    case PatchType::kStrategic:
      return "application/strategic-merge-patch+json";
    case PatchType::kApply:
      return "application/apply-patch+yaml";
  }
  return "";
}

bool MayRepeat(const HttpRequest& request, bool sent) { return !sent || request.method == "GET"; }

}  // namespace

std::string QueryEscape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (absl::ascii_isalnum(c) || std::string_view("-._~").find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += absl::StrFormat("%%%02X", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string Resource::Path(std::string_view name, std::string_view subresource) const {
  std::string path = group.empty() ? StrCat("/api/", version) : StrCat("/apis/", group, "/", version);
  if (!ns.empty()) path += StrCat("/namespaces/", ns);
  path += StrCat("/", plural);
  if (!name.empty()) path += StrCat("/", name);
  if (!subresource.empty()) path += StrCat("/", subresource);
  return path;
}

absl::StatusOr<std::unique_ptr<Client>> Client::Create(const Config& config, absl::Duration deadline) {
  std::unique_ptr<Client> client(new Client(config, deadline));
  SABOT_ASSIGN_OR_RETURN(client->http_, Http::Create(config));
  return client;
}

absl::StatusOr<std::string> Client::Call(HttpRequest request) {
  Backoff backoff(absl::Milliseconds(100), absl::Seconds(5));
  const absl::Time end = absl::Now() + deadline_;
  bool token_renewed = false;
  while (true) {
    SABOT_ASSIGN_OR_RETURN(request.token, credentials_.Token());
    request.timeout = end - absl::Now();
    if (request.timeout <= absl::ZeroDuration()) request.timeout = absl::Milliseconds(1);
    bool sent = true;
    absl::StatusOr<HttpAnswer> answer = http_->Do(request, nullptr, &sent);
    absl::Duration wait = backoff.Next();
    absl::Status failure = answer.status();
    bool repeat = absl::IsUnavailable(failure) && MayRepeat(request, sent);
    if (answer.ok()) {
      if (answer->code >= 200 && answer->code < 300) return std::move(answer->body);
      failure = StatusOf(answer->code, answer->body);
      repeat = answer->code == 429 || answer->code == 503;
      if (answer->code == 500 || answer->code == 502 || answer->code == 504) repeat = request.method == "GET";
      wait = std::max(wait, answer->retry_after);
      if (answer->code == 401 && !std::exchange(token_renewed, true)) {
        credentials_.Invalidate();
        continue;
      }
    }
    if (!repeat || absl::Now() + wait >= end) return failure;
    absl::SleepFor(wait);
  }
}

absl::StatusOr<json> Client::CallJson(HttpRequest request) {
  SABOT_ASSIGN_OR_RETURN(const std::string body, Call(std::move(request)));
  json value = json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) return absl::DataLossError("API server sent broken JSON");
  return value;
}

absl::StatusOr<json> Client::Get(const Resource& resource, std::string_view name) {
  SABOT_RETURN_IF_ERROR(CheckSegments(resource, name, ""));
  return CallJson({.path = resource.Path(name)});
}

absl::StatusOr<json> Client::Create(const Resource& resource, const json& object,
                                    std::string_view subresource_of, std::string_view subresource) {
  SABOT_RETURN_IF_ERROR(CheckSegments(resource, subresource_of, subresource));
  return CallJson({.method = "POST",
                   .path = resource.Path(subresource_of, subresource),
                   .content_type = "application/json",
                   .body = object.dump(-1, ' ', false, json::error_handler_t::replace)});
}

absl::StatusOr<json> Client::Replace(const Resource& resource, const json& object,
                                     std::string_view subresource) {
  const json::json_pointer at("/metadata/name");
  if (!object.contains(at) || !object[at].is_string())
    return absl::InvalidArgumentError("an object without a name");
  const std::string name = object[at].get<std::string>();
  SABOT_RETURN_IF_ERROR(CheckSegments(resource, name, subresource));
  return CallJson({.method = "PUT",
                   .path = resource.Path(name, subresource),
                   .content_type = "application/json",
                   .body = object.dump(-1, ' ', false, json::error_handler_t::replace)});
}

absl::StatusOr<json> Client::Patch(const Resource& resource, std::string_view name, PatchType type,
                                   const json& patch, std::string_view subresource) {
  SABOT_RETURN_IF_ERROR(CheckSegments(resource, name, subresource));
  std::string path = resource.Path(name, subresource);
  if (type == PatchType::kApply) path += "?fieldManager=sabot&force=true";
  return CallJson({.method = "PATCH",
                   .path = std::move(path),
                   .content_type = std::string(ContentType(type)),
                   .body = patch.dump(-1, ' ', false, json::error_handler_t::replace)});
}

absl::Status Client::Delete(const Resource& resource, std::string_view name) {
  // Without a name this would delete everything.
  if (name.empty()) return absl::InvalidArgumentError("delete: no name");
  SABOT_RETURN_IF_ERROR(CheckSegments(resource, name, ""));
  return Call({.method = "DELETE", .path = resource.Path(name)}).status();
}

absl::StatusOr<Page> Client::List(const Resource& resource, const Codec& codec, const ListQuery& query) {
  SABOT_RETURN_IF_ERROR(CheckSegments(resource, "", ""));
  std::string path = resource.Path();
  AddParameter(path, "limit", query.limit > 0 ? StrCat(query.limit) : "");
  AddParameter(path, "continue", query.continue_token);
  AddParameter(path, "resourceVersion", query.resource_version);
  AddParameter(path, "labelSelector", query.label_selector);
  AddParameter(path, "fieldSelector", query.field_selector);
  SABOT_ASSIGN_OR_RETURN(const std::string body,
                         Call({.path = std::move(path), .accept = std::string(codec.list_type())}));
  return codec.DecodeList(body);
}

absl::Status Client::Watch(const Resource& resource, const Codec& codec, const WatchQuery& query,
                           const std::atomic<bool>* cancel,
                           const std::function<absl::Status(WatchEvent)>& handle) {
  SABOT_RETURN_IF_ERROR(CheckSegments(resource, "", ""));
  HttpRequest request;
  request.path = resource.Path() + "?watch=1&allowWatchBookmarks=true";
  AddParameter(request.path, "timeoutSeconds", StrCat(absl::ToInt64Seconds(query.timeout)));
  AddParameter(request.path, "resourceVersion", query.resource_version);
  AddParameter(request.path, "labelSelector", query.label_selector);
  AddParameter(request.path, "fieldSelector", query.field_selector);
  if (query.send_initial_events) request.path += "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
  request.accept = std::string(codec.watch_type());
  SABOT_ASSIGN_OR_RETURN(request.token, credentials_.Token());
  // A server that is gone without a word is found out by the connection's keep-alive, and at last by this.
  request.timeout = query.timeout + absl::Seconds(30);
  FrameReader frames(codec.is_protobuf());
  request.sink = [&](std::string_view bytes) {
    return frames.Feed(bytes, [&](std::string_view frame) -> absl::Status {
      SABOT_ASSIGN_OR_RETURN(WatchEvent event, codec.DecodeEvent(frame));
      return handle(std::move(event));
    });
  };
  SABOT_ASSIGN_OR_RETURN(const HttpAnswer answer, http_->Do(request, cancel));
  if (answer.code == 401) credentials_.Invalidate();
  if (answer.code != 200) return StatusOf(answer.code, answer.body);
  return frames.Finish();
}

}  // namespace sabot::kube
