// SPDX-License-Identifier: Apache-2.0
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/local_socket.h"
#include "agent/unix_socket.h"
#include "loader/clock.h"
#include "loader/status.h"

namespace sabot::agent {
namespace {

using sabot::v1::LocalRequest;
using sabot::v1::LocalResponse;

// A point in time on a clock that nobody sets.
class Deadline {
 public:
  explicit Deadline(absl::Duration timeout)
      : end_ns_(Now() + absl::ToInt64Nanoseconds(std::min(timeout, absl::Hours(24 * 365)))) {}
  bool passed() const { return Now() >= end_ns_; }
  int poll_ms() const {
    return static_cast<int>(std::clamp<int64_t>((end_ns_ - Now()) / 1'000'000 + 1, 0, 60'000));
  }
  absl::Duration left() const { return absl::Nanoseconds(std::max<int64_t>(end_ns_ - Now(), 0)); }

 private:
  static int64_t Now() { return static_cast<int64_t>(loader::MonotonicNs()); }
  int64_t end_ns_;
};

absl::Status WaitFor(int fd, short events, const Deadline& deadline, const std::string& attempt) {
  while (!deadline.passed()) {
    pollfd entry{.fd = fd, .events = events, .revents = 0};
    int ready = ::poll(&entry, 1, deadline.poll_ms());
    if (ready > 0) return absl::OkStatus();
    if (ready < 0 && errno != EINTR) return ErrnoStatus(errno, attempt);
  }
  return absl::DeadlineExceededError(absl::StrCat(attempt, ": no answer in time"));
}

absl::Status SendAll(int fd, std::string_view bytes, const Deadline& deadline, const std::string& attempt) {
  while (!bytes.empty()) {
    ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) bytes.remove_prefix(static_cast<size_t>(sent));
    if (sent >= 0 || errno == EINTR) continue;
    if (errno == EPIPE || errno == ECONNRESET) {
      return absl::UnavailableError(absl::StrCat(attempt, ": it hung up"));
    }
    if (errno != EAGAIN) return ErrnoStatus(errno, attempt);
    SABOT_RETURN_IF_ERROR(WaitFor(fd, POLLOUT, deadline, attempt));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReceiveFrame(int fd, FrameParser& parser, const Deadline& deadline,
                                         const std::string& attempt) {
  while (true) {
    SABOT_ASSIGN_OR_RETURN(std::optional<std::string> frame, parser.Next());
    if (frame) return *std::move(frame);
    SABOT_RETURN_IF_ERROR(WaitFor(fd, POLLIN, deadline, attempt));
    char buffer[65536];
    ssize_t got = ::recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
    if (got > 0) parser.Feed({buffer, static_cast<size_t>(got)});
    if (got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN))) continue;
    if (got < 0 && errno != ECONNRESET) return ErrnoStatus(errno, attempt);
    return absl::UnavailableError(absl::StrCat(attempt, ": it hung up"));
  }
}

}  // namespace

absl::StatusOr<LocalClient> LocalClient::Connect(const std::filesystem::path& path, absl::Duration timeout) {
  Deadline deadline(timeout);
  SABOT_ASSIGN_OR_RETURN(loader::UniqueFd fd, UnixSocket());
  SABOT_ASSIGN_OR_RETURN(UnixAddress address, UnixAddress::Create(path));
  while (::connect(fd.get(), address.get(), address.size()) != 0) {
    const int error = errno;
    // Full backlog: a unix socket says so at once, and cannot be waited for.
    if ((error != EAGAIN && error != EINTR) || deadline.passed()) {
      return ErrnoStatus(error, absl::StrCat("connect to ", path.native()));
    }
    absl::SleepFor(absl::Milliseconds(5));
  }
  if (!PeerIsTrusted(fd.get())) {
    return absl::PermissionDeniedError(
        absl::StrCat("connect to ", path.native(), ": another user listens there"));
  }
  return LocalClient(path, std::move(fd));
}

absl::StatusOr<LocalResponse> LocalClient::Call(const LocalRequest& request, absl::Duration timeout) {
  Deadline deadline(timeout);
  const std::string attempt = absl::StrCat("ask ", path_.native());
  std::string payload = request.SerializeAsString();
  if (payload.size() > kMaxLocalFrame) {
    return absl::InvalidArgumentError(
        absl::StrCat(attempt, ": the request is above ", kMaxLocalFrame, " bytes"));
  }
  SABOT_RETURN_IF_ERROR(SendAll(fd_.get(), MakeFrame(payload), deadline, attempt));
  SABOT_ASSIGN_OR_RETURN(std::string answer, ReceiveFrame(fd_.get(), parser_, deadline, attempt));
  LocalResponse response;
  if (!response.ParseFromString(answer)) {
    return absl::InvalidArgumentError(attempt + ": the answer is garbage");
  }
  return response;
}

absl::StatusOr<LocalResponse> CallLocal(const std::filesystem::path& path, const LocalRequest& request,
                                        absl::Duration timeout) {
  Deadline deadline(timeout);
  SABOT_ASSIGN_OR_RETURN(LocalClient client, LocalClient::Connect(path, timeout));
  return client.Call(request, deadline.left());
}

absl::Status ToStatus(const LocalResponse& response) {
  return absl::Status(static_cast<absl::StatusCode>(response.code()), response.message());
}

}  // namespace sabot::agent
