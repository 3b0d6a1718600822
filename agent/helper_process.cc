// SPDX-License-Identifier: Apache-2.0
#include "agent/helper_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <fstream>
#include <iterator>
#include <sstream>
#include <utility>

#include "absl/time/clock.h"
#include "loader/status.h"

namespace sabot {
namespace {

using loader::UniqueFd;

constexpr char kProgram[] = "sabot-helper";
constexpr absl::Duration kKillTimeout = absl::Seconds(2);

// glibc has these since 2.36, but first with C++ linkage by mistake.
int OpenPidfd(pid_t pid) { return static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); }
bool SendSignal(int pidfd, int number) {
  return syscall(SYS_pidfd_send_signal, pidfd, number, nullptr, 0) == 0;
}

// posix_spawn's two parameter objects. The functions that fill them fail only for want of memory, and return
// errors.
class SpawnPlan {
 public:
  SpawnPlan() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    posix_spawnattr_destroy(&attributes_);
    posix_spawn_file_actions_destroy(&actions_);
  }

  // `fds` must all be beyond where they go.
  int MapDescriptors(const std::vector<UniqueFd>& fds) {
    int error = posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (error == 0)
      error = posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    int to = HelperProcess::kControlFd;
    for (const UniqueFd& fd : fds)
      if (error == 0) error = posix_spawn_file_actions_adddup2(&actions_, fd.get(), to++);
    return error ? error : posix_spawn_file_actions_addclosefrom_np(&actions_, to);
  }

  // A session of its own, so that a terminal's Ctrl-C reaches only its owner; signals as in a fresh process.
  int Detach() {
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    int error = posix_spawnattr_setflags(&attributes_,
                                         POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    if (error == 0) error = posix_spawnattr_setsigdefault(&attributes_, &all);
    return error ? error : posix_spawnattr_setsigmask(&attributes_, &none);
  }

  int Spawn(const std::string& path, const std::vector<std::string>& args, pid_t& pid) {
    std::vector<char*> argv = {const_cast<char*>(path.c_str())};
    for (const std::string& arg : args) argv.push_back(const_cast<char*>(arg.c_str()));
    argv.push_back(nullptr);
    char* environment[] = {nullptr};
    return posix_spawn(&pid, path.c_str(), &actions_, &attributes_, argv.data(), environment);
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

absl::StatusOr<std::string> OwnDirectory() {
  char path[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", path, sizeof(path));
  if (length <= 0) return ErrnoStatus(errno, "read /proc/self/exe");
  std::string own(path, length);
  return own.substr(0, own.rfind('/'));
}

absl::StatusOr<std::string> FindProgram(const std::string& given) {
  if (!given.empty()) return given;
  SABOT_ASSIGN_OR_RETURN(std::string directory, OwnDirectory());
  std::string beside = absl::StrCat(directory, "/", kProgram);
  if (access(beside.c_str(), X_OK) == 0) return beside;
  std::string libexec = absl::StrCat(directory, "/../libexec/sabot/", kProgram);
  if (access(libexec.c_str(), X_OK) == 0) return libexec;
  return ErrnoStatus(errno, absl::StrCat("find ", beside, " or ", libexec));
}

// Duplicates beyond the numbers that the child will use, so that no dup2 there can hit a source that is still
// needed.
absl::StatusOr<std::vector<UniqueFd>> Duplicate(int control, const std::vector<int>& fds) {
  std::vector<int> sources = {control};
  sources.insert(sources.end(), fds.begin(), fds.end());
  int beyond = HelperProcess::kControlFd + static_cast<int>(sources.size());
  std::vector<UniqueFd> duplicates;
  for (int source : sources) {
    duplicates.emplace_back(fcntl(source, F_DUPFD_CLOEXEC, beyond));
    if (!duplicates.back().valid())
      return ErrnoStatus(errno, absl::StrCat("duplicate descriptor ", source, " for a helper"));
  }
  return duplicates;
}

// The owner's end, which does not block, and the child's, which does until it says otherwise.
absl::StatusOr<std::pair<UniqueFd, UniqueFd>> ControlPair() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return ErrnoStatus(errno, "make a helper's control socket");
  std::pair<UniqueFd, UniqueFd> pair(ends[0], ends[1]);
  if (fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0)
    return ErrnoStatus(errno, "make a helper's control socket non-blocking");
  return pair;
}

absl::StatusOr<pid_t> Spawn(const std::string& path, const std::vector<std::string>& args,
                            const std::vector<UniqueFd>& fds) {
  SpawnPlan plan;
  pid_t pid = -1;
  int error = plan.MapDescriptors(fds);
  if (error == 0) error = plan.Detach();
  if (error == 0) error = plan.Spawn(path, args, pid);
  if (error != 0) return ErrnoStatus(error, absl::StrCat("start ", path));
  return pid;
}

// The process may have exited already, but is still there to be waited for.
absl::StatusOr<uint64_t> StartTime(pid_t pid) {
  std::string path = absl::StrCat("/proc/", pid, "/stat");
  std::ifstream file(path);
  std::string text((std::istreambuf_iterator<char>(file)), {});
  size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return absl::UnavailableError(absl::StrCat("read ", path));
  std::istringstream rest(text.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 22; ++field) rest >> skipped;
  uint64_t start_time = 0;
  if (!(rest >> start_time)) return absl::InternalError(absl::StrCat("find the start time in ", path));
  return start_time;
}

std::string DescribeEnding(const siginfo_t& info) {
  if (info.si_code == CLD_EXITED) return absl::StrCat("exited with ", info.si_status);
  return absl::StrCat("killed by signal ", info.si_status);
}

}  // namespace

absl::StatusOr<HelperProcess> HelperProcess::Create(const Options& options) {
  SABOT_ASSIGN_OR_RETURN(std::string path, FindProgram(options.path));
  SABOT_ASSIGN_OR_RETURN(auto control, ControlPair());
  SABOT_ASSIGN_OR_RETURN(std::vector<UniqueFd> fds, Duplicate(control.second.get(), options.fds));
  SABOT_ASSIGN_OR_RETURN(pid_t pid, Spawn(path, options.args, fds));
  UniqueFd pidfd(OpenPidfd(pid));
  if (!pidfd.valid()) {
    absl::Status status = ErrnoStatus(errno, absl::StrCat("open a pidfd of helper ", pid));
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    return status;
  }
  HelperProcess process(pid, 0, std::move(pidfd), std::move(control.first));
  SABOT_ASSIGN_OR_RETURN(process.start_time_, StartTime(pid));
  return process;
}

HelperProcess::HelperProcess(pid_t pid, uint64_t start_time, UniqueFd pidfd, UniqueFd control)
    : pid_(pid), start_time_(start_time), pidfd_(std::move(pidfd)), control_(std::move(control)) {}

HelperProcess& HelperProcess::operator=(HelperProcess&& other) noexcept {
  if (this == &other) return *this;
  (void)Kill();
  pid_ = other.pid_;
  start_time_ = other.start_time_;
  pidfd_ = std::move(other.pidfd_);
  control_ = std::move(other.control_);
  ending_ = std::move(other.ending_);
  return *this;
}

// One that did not die in time stays a zombie until this process ends; there is nobody left to tell.
HelperProcess::~HelperProcess() { (void)Kill(); }

bool HelperProcess::Reap() {
  if (!pidfd_.valid()) return true;
  siginfo_t info = {};
  int result = waitid(P_PIDFD, pidfd_.get(), &info, WEXITED | WNOHANG);
  if (result == 0 && info.si_pid == 0) return false;
  ending_ = result == 0 ? DescribeEnding(info) : "reaped by somebody else";
  pidfd_.Reset();
  return true;
}

bool HelperProcess::Alive() { return !Reap(); }

bool HelperProcess::WaitForExit(absl::Duration timeout) {
  absl::Time deadline = absl::Now() + timeout;
  while (!Reap()) {
    absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) return false;
    pollfd poller = {.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
    poll(&poller, 1, static_cast<int>(absl::ToInt64Milliseconds(std::min(left, absl::Hours(1)))) + 1);
  }
  return true;
}

absl::Status HelperProcess::Kill() {
  if (Reap()) return absl::OkStatus();
  if (!SendSignal(pidfd_.get(), SIGKILL) && errno != ESRCH)
    return ErrnoStatus(errno, absl::StrCat("kill helper ", pid_));
  if (WaitForExit(kKillTimeout)) return absl::OkStatus();
  return absl::DeadlineExceededError(
      absl::StrCat("kill helper ", pid_, ": it did not end within ", absl::FormatDuration(kKillTimeout)));
}

void HelperProcess::LetGo() { control_.Reset(); }

}  // namespace sabot
