// SPDX-License-Identifier: Apache-2.0
#include "agent/pacer/client.h"

#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <cstddef>

#include "absl/time/clock.h"
#include "agent/pacer/arguments.h"
#include "loader/status.h"

namespace sabot::pacer {
namespace {

// Far from any overflow in nanoseconds.
constexpr absl::Duration kLongestHold = absl::Hours(24);

absl::Status AwaitAnswer(int control_fd, absl::Time deadline) {
  while (true) {
    absl::Duration left = deadline - absl::Now();
    if (left < absl::ZeroDuration())
      return absl::DeadlineExceededError("ask the pacer for its counters: no answer");
    pollfd poller = {.fd = control_fd, .events = POLLIN, .revents = 0};
    int ready = poll(&poller, 1, absl::ToInt64Milliseconds(left) + 1);
    if (ready > 0) return absl::OkStatus();
    if (ready < 0 && errno != EINTR) return ErrnoStatus(errno, "wait for the pacer's counters");
  }
}

absl::Status SendRequest(int control_fd, uint32_t serial) {
  StatsRequest request;
  request.serial = serial;
  if (send(control_fd, &request, sizeof(request), MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(request))
    return absl::OkStatus();
  if (errno == EPIPE || errno == ECONNRESET)
    return absl::UnavailableError("ask the pacer for its counters: it is gone");
  // Its queue is full of requests that it did not answer.
  if (errno == EAGAIN)
    return absl::DeadlineExceededError("ask the pacer for its counters: it does not listen");
  return ErrnoStatus(errno, "ask the pacer for its counters");
}

}  // namespace

absl::StatusOr<HelperProcess> StartPacer(const PacerOptions& options) {
  if (options.max_hold < absl::ZeroDuration() || options.max_hold > kLongestHold)
    return absl::InvalidArgumentError(
        absl::StrCat("start a pacer that holds frames for up to ", absl::FormatDuration(options.max_hold)));
  Arguments arguments = {.tap_fd = HelperProcess::kFirstGivenFd,
                         .heartbeat_fd = HelperProcess::kFirstGivenFd + 1,
                         .heartbeat_index = options.heartbeat_index,
                         .max_bytes = options.max_bytes,
                         .max_hold_ms = static_cast<uint64_t>(absl::ToInt64Milliseconds(options.max_hold))};
  HelperProcess::Options process = {.path = options.program, .args = {"pacer"}, .fds = {}};
  for (std::string& word : FormatArguments(arguments)) process.args.push_back(std::move(word));
  process.fds = {options.tap_fd, options.heartbeat_fd};
  process.fds.insert(process.fds.end(), options.kept_fds.begin(), options.kept_fds.end());
  return HelperProcess::Create(process);
}

absl::StatusOr<Stats> QueryStats(int control_fd, absl::Duration timeout) {
  static std::atomic<uint32_t> serials = 0;
  uint32_t serial = ++serials;
  absl::Time deadline = absl::Now() + timeout;
  SABOT_RETURN_IF_ERROR(SendRequest(control_fd, serial));
  while (true) {
    SABOT_RETURN_IF_ERROR(AwaitAnswer(control_fd, deadline));
    Stats stats;
    ssize_t got = recv(control_fd, &stats, sizeof(stats), MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno == ECONNRESET))
      return absl::UnavailableError("read the pacer's counters: it is gone");
    if (got < 0 && errno != EAGAIN && errno != EINTR) return ErrnoStatus(errno, "read the pacer's counters");
    if (got == sizeof(stats) && stats.serial == serial) return stats;
  }
}

}  // namespace sabot::pacer
