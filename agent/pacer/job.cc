// SPDX-License-Identifier: Apache-2.0
#include "agent/pacer/job.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "agent/helper_process.h"
#include "agent/pacer/arguments.h"
#include "agent/pacer/clock.h"
#include "agent/pacer/frame_store.h"
#include "agent/pacer/heartbeat.h"
#include "agent/pacer/pacer.h"
#include "agent/pacer/sandbox.h"
#include "agent/pacer/urgency.h"
#include "loader/status.h"

namespace sabot::pacer {
namespace {

int Complain(const absl::Status& status, int exit_status) {
  std::fprintf(stderr, "sabot-helper pacer: %s\n", std::string(status.message()).c_str());
  return exit_status;
}

absl::Status MakeNonBlocking(int fd) {
  int flags = fcntl(fd, F_GETFL);
  if (flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0) return absl::OkStatus();
  return ErrnoStatus(errno, absl::StrCat("make descriptor ", fd, " non-blocking"));
}

void BecomePacer() {
  prctl(PR_SET_NAME, "sabot-pacer", 0, 0, 0);
  // Or the kernel may let any timer of ours pass by 50 microseconds.
  prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
  // Who wants it to leave lets go of the control socket; a signal to the whole control group or terminal must
  // not take held frames along.
  for (int ignored : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE}) signal(ignored, SIG_IGN);
}

absl::Status Pace(const Arguments& arguments) {
  SABOT_RETURN_IF_ERROR(MakeNonBlocking(arguments.tap_fd));
  SABOT_RETURN_IF_ERROR(MakeNonBlocking(HelperProcess::kControlFd));
  SABOT_ASSIGN_OR_RETURN(Heartbeat heartbeat,
                         Heartbeat::Create(arguments.heartbeat_fd, arguments.heartbeat_index));
  close(arguments.heartbeat_fd);
  SABOT_ASSIGN_OR_RETURN(FrameStore store,
                         FrameStore::Create(arguments.max_bytes, arguments.max_hold_ms * kMillisecond));
  Urgency urgency = Urgency::Create();
  SABOT_ASSIGN_OR_RETURN(Pacer pacer, Pacer::Create(arguments.tap_fd, HelperProcess::kControlFd,
                                                    std::move(store), std::move(heartbeat), urgency));
  SABOT_RETURN_IF_ERROR(EnterSandbox(urgency.allowed()));
  return pacer.Run();
}

}  // namespace

int RunJob(std::span<const char* const> words) {
  absl::StatusOr<Arguments> arguments = ParseArguments(words);
  if (!arguments.ok()) return Complain(arguments.status(), 2);
  BecomePacer();
  absl::Status status = Pace(*arguments);
  return status.ok() ? 0 : Complain(status, 1);
}

}  // namespace sabot::pacer
