// SPDX-License-Identifier: Apache-2.0
//
// Calls to a Kubernetes API server. Objects are JSON here; see informer.h for watches, which are protobuf
// where the server has it.
#ifndef SABOT_CONTROLLER_KUBE_CLIENT_H_
#define SABOT_CONTROLLER_KUBE_CLIENT_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "controller/kube/codec.h"
#include "controller/kube/config.h"
#include "controller/kube/credentials.h"
#include "controller/kube/http.h"

namespace sabot::kube {

// A resource of the API, within one namespace or everywhere.
struct Resource {
  std::string group;  // empty: the core
  std::string version;
  std::string plural;
  std::string ns;  // empty: all namespaces, or a resource without

  // "/apis/GROUP/VERSION/namespaces/NS/PLURAL[/NAME][/SUBRESOURCE]"
  std::string Path(std::string_view name = "", std::string_view subresource = "") const;
};

enum class PatchType { kJson, kMerge, kStrategic, kApply };

struct ListQuery {
  std::string label_selector;
  std::string field_selector;
  int limit = 500;  // objects in one page
  std::string continue_token;
  // Of a list: "" is the newest, "0" whatever the server has at hand.
  std::string resource_version;
};

struct WatchQuery {
  std::string label_selector;
  std::string field_selector;
  std::string resource_version;
  bool send_initial_events = false;           // WatchList
  absl::Duration timeout = absl::Minutes(5);  // after which the server ends the watch
};

// Thread-safe. Every call blocks, repeats what may be repeated (429, 503 and connections that were refused;
// reads after any transport error) with growing waits until `deadline` is over, and answers with the codes of
// StatusOf().
class Client {
 public:
  static absl::StatusOr<std::unique_ptr<Client>> Create(const Config& config,
                                                        absl::Duration deadline = absl::Seconds(30));

  absl::StatusOr<nlohmann::json> Get(const Resource& resource, std::string_view name);
  absl::StatusOr<nlohmann::json> Create(const Resource& resource, const nlohmann::json& object,
                                        std::string_view subresource_of = "",
                                        std::string_view subresource = "");
  // Conflicts (Aborted) when the object has changed since its resourceVersion.
  absl::StatusOr<nlohmann::json> Replace(const Resource& resource, const nlohmann::json& object,
                                         std::string_view subresource = "");
  absl::StatusOr<nlohmann::json> Patch(const Resource& resource, std::string_view name, PatchType type,
                                       const nlohmann::json& patch, std::string_view subresource = "");
  absl::Status Delete(const Resource& resource, std::string_view name);

  absl::StatusOr<Page> List(const Resource& resource, const Codec& codec, const ListQuery& query);
  // Until the server ends it (OK), `*cancel` becomes true (Cancelled; call Wake()), or something is wrong.
  // Not repeated. `handle` runs on the connection's thread.
  absl::Status Watch(const Resource& resource, const Codec& codec, const WatchQuery& query,
                     const std::atomic<bool>* cancel, const std::function<absl::Status(WatchEvent)>& handle);
  void Wake() { http_->Wake(); }

  const Config& config() const { return config_; }

 private:
  Client(const Config& config, absl::Duration deadline)
      : config_(config), credentials_(config), deadline_(deadline) {}
  absl::StatusOr<std::string> Call(HttpRequest request);
  absl::StatusOr<nlohmann::json> CallJson(HttpRequest request);

  const Config config_;
  Credentials credentials_;
  const absl::Duration deadline_;
  std::unique_ptr<Http> http_;
};

// "%2F" and the like.
std::string QueryEscape(std::string_view text);

}  // namespace sabot::kube

#endif  // SABOT_CONTROLLER_KUBE_CLIENT_H_
