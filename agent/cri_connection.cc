// SPDX-License-Identifier: Apache-2.0
#include "agent/cri_connection.h"

#include <utility>

#include "loader/status.h"

namespace sabot::agent {

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
  if (!client_) {
    SABOT_ASSIGN_OR_RETURN(client_, CriClient::Connect(sockets_));
  }
  return client_;
}

absl::StatusOr<ContainerInfo> CriConnection::Judge(absl::StatusOr<ContainerInfo> answer,
                                                   const std::shared_ptr<CriClient>& from) {
  if (!absl::IsUnavailable(answer.status()) && !absl::IsDeadlineExceeded(answer.status())) return answer;
  std::lock_guard lock(mutex_);
  if (client_ == from) client_ = nullptr;
  // Either way the runtime did not answer, and may do so later.
  return absl::UnavailableError(answer.status().message());
}

}  // namespace sabot::agent
