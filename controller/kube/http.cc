// SPDX-License-Identifier: Apache-2.0
#include "controller/kube/http.h"

#include <curl/curl.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/synchronization/notification.h"
#include "controller/api/str_cat.h"

namespace sabot::kube {
namespace {

using api::StrCat;

// Of the whole program, before any thread uses the library.
void InitLibrary() {
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)done;
}

curl_blob Blob(const std::string& text) {
  return {const_cast<char*>(text.data()), text.size(), CURL_BLOB_COPY};
}

void SetOption(CURL* easy, CURLoption option, const std::string& pem) {
  if (pem.empty()) return;
  curl_blob blob = Blob(pem);
  curl_easy_setopt(easy, option, &blob);
}

}  // namespace

struct Http::Transfer {
  const HttpRequest& request;
  const std::atomic<bool>* cancel;
  CURL* easy = nullptr;
  curl_slist* headers = nullptr;
  std::string url;
  HttpAnswer answer;
  absl::Status status;
  absl::Status sink_status;
  bool sent = false;
  absl::Notification done;

  ~Transfer() {
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
  }

  void AddHeader(const std::string& line) { headers = curl_slist_append(headers, line.c_str()); }

  static size_t OnBody(char* bytes, size_t, size_t size, void* self) {
    Transfer& transfer = *static_cast<Transfer*>(self);
    long code = 0;
    curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &code);
    if (code == 200 && transfer.request.sink) {
      transfer.sink_status = transfer.request.sink({bytes, size});
      return transfer.sink_status.ok() ? size : 0;
    }
    if (transfer.answer.body.size() + size > kMaxBody) {
      transfer.sink_status = absl::ResourceExhaustedError("the answer is too large");
      return 0;
    }
    transfer.answer.body.append(bytes, size);
    return size;
  }

  static size_t OnHeader(char* bytes, size_t, size_t size, void* self) {
    constexpr absl::string_view kRetryAfter = "retry-after:";
    const absl::string_view line(bytes, size);
    int64_t seconds = 0;
    if (absl::StartsWithIgnoreCase(line, kRetryAfter) &&
        absl::SimpleAtoi(absl::StripAsciiWhitespace(line.substr(kRetryAfter.size())), &seconds)) {
      static_cast<Transfer*>(self)->answer.retry_after = absl::Seconds(std::clamp<int64_t>(seconds, 0, 300));
    }
    return size;
  }
};

absl::StatusOr<std::unique_ptr<Http>> Http::Create(const Config& config) {
  InitLibrary();
  std::unique_ptr<Http> http(new Http(config));
  http->multi_ = curl_multi_init();
  if (http->multi_ == nullptr) return absl::ResourceExhaustedError("libcurl: no memory");
  curl_multi_setopt(http->multi_, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
  curl_multi_setopt(http->multi_, CURLMOPT_MAX_CONCURRENT_STREAMS, 250L);
  http->thread_ = std::thread([self = http.get()] { self->Serve(); });
  return http;
}

Http::Http(const Config& config) : config_(config) {}

Http::~Http() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  Wake();
  if (thread_.joinable()) thread_.join();
  curl_multi_cleanup(multi_);
}

void Http::Wake() { curl_multi_wakeup(multi_); }

absl::StatusOr<HttpAnswer> Http::Do(const HttpRequest& request, const std::atomic<bool>* cancel, bool* sent) {
  Transfer transfer{.request = request, .cancel = cancel};
  {
    absl::MutexLock lock(&mutex_);
    waiting_.push_back(&transfer);
  }
  Wake();
  transfer.done.WaitForNotification();
  if (sent != nullptr) *sent = transfer.sent;
  if (!transfer.status.ok()) return transfer.status;
  return std::move(transfer.answer);
}

void Http::Serve() {
  while (true) {
    std::vector<Transfer*> begun;
    {
      absl::MutexLock lock(&mutex_);
      if (stopping_) return;
      begun.swap(waiting_);
    }
    for (Transfer* transfer : begun) Begin(*transfer);
    EndCancelled();
    int running = 0;
    curl_multi_perform(multi_, &running);
    EndFinished();
    // Bounded only as a precaution: whatever happens wakes it up.
    curl_multi_poll(multi_, nullptr, 0, 60'000, nullptr);
  }
}

void Http::Begin(Transfer& transfer) {
  const HttpRequest& request = transfer.request;
  CURL* easy = transfer.easy = curl_easy_init();
  transfer.url = config_.server + request.path;
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
  curl_easy_setopt(easy, CURLOPT_URL, transfer.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https,http");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  // Waits for the connection that is being made rather than making another.
  curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 20L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 5L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 10'000L);
  if (request.timeout != absl::InfiniteDuration()) {
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(absl::ToInt64Milliseconds(request.timeout)));
  }
  SetOption(easy, CURLOPT_CAINFO_BLOB, config_.ca_pem);
  SetOption(easy, CURLOPT_SSLCERT_BLOB, config_.certificate_pem);
  SetOption(easy, CURLOPT_SSLKEY_BLOB, config_.key_pem);
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (!request.body.empty()) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    transfer.AddHeader("Content-Type: " + request.content_type);
    transfer.AddHeader("Expect:");
  }
  transfer.AddHeader("Accept: " + request.accept);
  transfer.AddHeader("User-Agent: sabot");
  if (!request.token.empty()) transfer.AddHeader("Authorization: Bearer " + request.token);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer.headers);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Transfer::OnBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Transfer::OnHeader);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
  running_.push_back(&transfer);
  curl_multi_add_handle(multi_, easy);
}

void Http::End(Transfer& transfer, absl::Status status) {
  curl_multi_remove_handle(multi_, transfer.easy);
  running_.erase(std::find(running_.begin(), running_.end(), &transfer));
  transfer.status = std::move(status);
  transfer.done.Notify();
}

void Http::EndFinished() {
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    void* found = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &found);
    Transfer& transfer = *static_cast<Transfer*>(found);
    const CURLcode result = message->data.result;
    long code = 0;
    curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &code);
    transfer.answer.code = static_cast<int>(code);
    transfer.sent = result != CURLE_COULDNT_CONNECT && result != CURLE_COULDNT_RESOLVE_HOST &&
                    result != CURLE_SSL_CONNECT_ERROR && result != CURLE_PEER_FAILED_VERIFICATION;
    absl::Status status;
    if (!transfer.sink_status.ok()) {
      status = transfer.sink_status;
    } else if (result != CURLE_OK) {
      const absl::StatusCode kind = result == CURLE_OPERATION_TIMEDOUT ? absl::StatusCode::kDeadlineExceeded
                                                                       : absl::StatusCode::kUnavailable;
      status = absl::Status(kind, StrCat(transfer.request.method, " ", transfer.url, ": ",
                                         std::string_view(curl_easy_strerror(result))));
    }
    End(transfer, std::move(status));
  }
}

void Http::EndCancelled() {
  const std::vector<Transfer*> running = running_;
  for (Transfer* transfer : running) {
    if (transfer->cancel == nullptr || !*transfer->cancel) continue;
    transfer->sent = true;
    End(*transfer, absl::CancelledError("the request was given up"));
  }
}

}  // namespace sabot::kube
