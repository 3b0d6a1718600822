// SPDX-License-Identifier: Apache-2.0
#include "agent/unix_socket.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "agent/file.h"
#include "loader/status.h"

namespace sabot::agent {

absl::StatusOr<UnixAddress> UnixAddress::Create(const std::filesystem::path& path) {
  UnixAddress address;
  address.address_.sun_family = AF_UNIX;
  std::string name = path.native();
  if (name.size() >= sizeof(address.address_.sun_path)) {
    SABOT_ASSIGN_OR_RETURN(address.directory_, OpenFile(path.parent_path(), O_PATH | O_DIRECTORY));
    name = absl::StrCat("/proc/self/fd/", address.directory_.get(), "/", path.filename().native());
  }
  if (name.size() >= sizeof(address.address_.sun_path)) {
    return absl::InvalidArgumentError(absl::StrCat("socket ", path.native(), ": the name is too long"));
  }
  std::memcpy(address.address_.sun_path, name.data(), name.size());
  return address;
}

absl::StatusOr<loader::UniqueFd> UnixSocket() {
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return ErrnoStatus(errno, "make a unix socket");
  return loader::UniqueFd(fd);
}

bool PeerIsTrusted(int socket) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == 0 || peer.uid == ::geteuid();
}

}  // namespace sabot::agent
