// SPDX-License-Identifier: Apache-2.0
//
// Unix stream sockets by path: what server and client of the local socket both need. Sockets are non-blocking
// and close-on-exec.
#ifndef SABOT_AGENT_UNIX_SOCKET_H_
#define SABOT_AGENT_UNIX_SOCKET_H_

#include <sys/socket.h>
#include <sys/un.h>

#include <filesystem>

#include "absl/status/statusor.h"
#include "loader/fd.h"

namespace sabot::agent {

// An address for `path`, of any length: a long one goes by way of a descriptor of its directory, so keep this
// object until the address has been used.
class UnixAddress {
 public:
  static absl::StatusOr<UnixAddress> Create(const std::filesystem::path& path);

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address_); }
  socklen_t size() const { return sizeof(address_); }

 private:
  UnixAddress() = default;

  sockaddr_un address_{};
  loader::UniqueFd directory_;
};

absl::StatusOr<loader::UniqueFd> UnixSocket();

// The process at the other end is root's or our own user's.
bool PeerIsTrusted(int socket);

}  // namespace sabot::agent

#endif  // SABOT_AGENT_UNIX_SOCKET_H_
