// SPDX-License-Identifier: Apache-2.0
#include "agent/cri_connection.h"

#include <utility>

#include "absl/time/time.h"
#include "loader/clock.h"
#include "loader/status.h"

namespace sabot::agent {
namespace {

// After a failed attempt: a thousand targets must not wait for the same silent socket one by one.
constexpr absl::Duration kPause = absl::Seconds(2);

// Errors that say nothing about the container: the runtime is not there, or busy with itself. ("server is not
// initialized yet" of a containerd that has just started comes as UNKNOWN.)
bool MayPass(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kResourceExhausted:
      return true;
    default:
      return false;
  }
}

}  // namespace

CriConnection::CriConnection(std::vector<std::string> sockets)
    : sockets_(sockets.empty() ? DefaultCriSockets() : std::move(sockets)) {}

absl::StatusOr<ContainerInfo> CriConnection::Status(std::string_view id) {
  SABOT_ASSIGN_OR_RETURN(std::shared_ptr<CriClient> client, Client());
  return Judge(client->Status(id), client);
}

absl::StatusOr<ContainerInfo> CriConnection::Successor(const ContainerInfo& ended) {
  SABOT_ASSIGN_OR_RETURN(std::shared_ptr<CriClient> client, Client());
  return Judge(client->Successor(ended), client);
}

absl::StatusOr<std::shared_ptr<CriClient>> CriConnection::Client() {
  std::lock_guard lock(mutex_);
  if (client_) return client_;
  if (loader::MonotonicNs() < connect_after_ns_) return failure_;
  auto client = CriClient::Connect(sockets_);
  if (client.ok()) return client_ = *std::move(client);
  failure_ = client.status();
  connect_after_ns_ = loader::MonotonicNs() + static_cast<uint64_t>(absl::ToInt64Nanoseconds(kPause));
  return failure_;
}

absl::StatusOr<ContainerInfo> CriConnection::Judge(absl::StatusOr<ContainerInfo> answer,
                                                   const std::shared_ptr<CriClient>& from) {
  if (absl::IsUnavailable(answer.status()) || absl::IsDeadlineExceeded(answer.status())) {
    std::lock_guard lock(mutex_);
    if (client_ == from) client_ = nullptr;
  }
  if (!MayPass(answer.status().code())) return answer;
  return absl::UnavailableError(answer.status().message());
}

}  // namespace sabot::agent
