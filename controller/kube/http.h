// SPDX-License-Identifier: Apache-2.0
//
// HTTP/2 to one API server: all calls and watches share one connection, which one thread of this object
// serves.
#ifndef SABOT_CONTROLLER_KUBE_HTTP_H_
#define SABOT_CONTROLLER_KUBE_HTTP_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "controller/kube/config.h"

namespace sabot::kube {

struct HttpRequest {
  std::string method = "GET";
  std::string path;  // "/api/v1/pods?limit=500"
  std::string accept = "application/json";
  std::string content_type;  // of the body
  std::string body;
  std::string token;                                  // for "Authorization: Bearer"
  absl::Duration timeout = absl::InfiniteDuration();  // for all of it
  // When set, the bytes of an answer with status 200 go here as they come, on the thread of the Http, and not
  // into the answer. Any error ends the request with that error. It must not block.
  std::function<absl::Status(std::string_view)> sink;
};

struct HttpAnswer {
  int code = 0;
  std::string body;
  absl::Duration retry_after;  // as the server asked; zero: not said
};

class Http {
 public:
  // An answer longer than this ends the request; a page of objects is far smaller.
  static constexpr size_t kMaxBody = 512 << 20;

  static absl::StatusOr<std::unique_ptr<Http>> Create(const Config& config);
  // All requests have ended.
  ~Http();
  Http(const Http&) = delete;
  Http& operator=(const Http&) = delete;

  // Blocks until the answer is there or `*cancel` (if any) has become true and Wake() was called.
  // Thread-safe, but not to be called from a sink. Unavailable: there was no answer; the message names the
  // server. Only with `sent` false is it certain that the server did not get the request.
  absl::StatusOr<HttpAnswer> Do(const HttpRequest& request, const std::atomic<bool>* cancel = nullptr,
                                bool* sent = nullptr);
  // Looks at all `cancel`s. Thread-safe.
  void Wake();

 private:
  struct Transfer;
  explicit Http(const Config& config);
  void Serve();
  void Begin(Transfer& transfer);
  void End(Transfer& transfer, absl::Status status);
  void EndFinished();
  void EndCancelled();

  const Config config_;
  void* multi_ = nullptr;           // CURLM; used by thread_ alone, but for curl_multi_wakeup
  std::vector<Transfer*> running_;  // of thread_
  absl::Mutex mutex_;
  std::vector<Transfer*> waiting_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace sabot::kube

#endif  // SABOT_CONTROLLER_KUBE_HTTP_H_
