// SPDX-License-Identifier: Apache-2.0
#include "tests/support/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "loader/fd.h"
#include "tests/support/clock.h"
#include "tests/support/require.h"

namespace sabot::test {
namespace {

using loader::UniqueFd;

std::mutex known_mutex;
std::set<pid_t>& Known() {
  static std::set<pid_t> known;
  return known;
}

struct Pipe {
  UniqueFd read, write;
};

Pipe MakePipe() {
  int ends[2];
  RequireSyscall(::pipe2(ends, O_CLOEXEC), "make a pipe");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Pipe MakeTerminal() {
  int ours = -1, theirs = -1;
  winsize size{.ws_row = 40, .ws_col = 120, .ws_xpixel = 0, .ws_ypixel = 0};
  RequireSyscall(::openpty(&ours, &theirs, nullptr, nullptr, &size), "open a terminal");
  ::fcntl(ours, F_SETFD, FD_CLOEXEC);
  ::fcntl(theirs, F_SETFD, FD_CLOEXEC);
  return {UniqueFd(ours), UniqueFd(theirs)};
}

// What the child needs, made before fork: between fork and exec nothing may allocate.
struct Image {
  std::vector<char*> argv, envp;
  std::vector<std::string> env_text;
};

Image MakeImage(const Command& command) {
  Image image;
  for (const std::string& arg : command.argv) image.argv.push_back(const_cast<char*>(arg.c_str()));
  image.argv.push_back(nullptr);
  for (char** entry = environ; *entry != nullptr; ++entry) {
    std::string_view text = *entry;
    if (!command.env.contains(std::string(text.substr(0, text.find('='))))) image.env_text.emplace_back(text);
  }
  for (const auto& [name, value] : command.env) image.env_text.push_back(name + "=" + value);
  for (std::string& text : image.env_text) image.envp.push_back(text.data());
  image.envp.push_back(nullptr);
  return image;
}

[[noreturn]] void ExecChild(const Image& image, int netns_fd, int in, int out, int err) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (netns_fd >= 0 && ::setns(netns_fd, CLONE_NEWNET) != 0) _exit(126);
  ::dup2(in, 0);
  ::dup2(out, 1);
  ::dup2(err, 2);
  ::execvpe(image.argv[0], image.argv.data(), image.envp.data());
  _exit(127);
}

}  // namespace

struct Subprocess::State {
  pid_t pid = -1;
  UniqueFd pidfd;
  UniqueFd out, err;
  UniqueFd stop, stop_write;  // closing the latter ends the reader
  std::thread reader;

  mutable std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> lines;
  std::string partial, errors;
  bool out_open = true;
  std::optional<int> wait_status;

  void Read();
  bool Drain(int fd, bool is_error);
  bool EndsWithin(absl::Duration timeout) const;
  void Reap();
};

// Takes what is there; false at the end of the stream.
bool Subprocess::State::Drain(int fd, bool is_error) {
  char buffer[65536];
  ssize_t n = ::read(fd, buffer, sizeof(buffer));
  std::lock_guard lock(mutex);
  if (n <= 0) return false;
  if (is_error) {
    errors.append(buffer, static_cast<size_t>(n));
    return true;
  }
  partial.append(buffer, static_cast<size_t>(n));
  for (size_t end; (end = partial.find('\n')) != std::string::npos; partial.erase(0, end + 1)) {
    lines.push_back(partial.substr(0, end));
  }
  return true;
}

void Subprocess::State::Read() {
  pollfd fds[] = {{out.get(), POLLIN, 0}, {err.get(), POLLIN, 0}, {stop.get(), POLLIN, 0}};
  while (fds[0].fd >= 0 || fds[1].fd >= 0) {
    if (::poll(fds, 3, -1) < 0) continue;
    if (fds[0].revents != 0 && !Drain(fds[0].fd, false)) fds[0].fd = -1;
    if (fds[1].revents != 0 && !Drain(fds[1].fd, true)) fds[1].fd = -1;
    if (fds[2].revents != 0 && fds[0].revents == 0 && fds[1].revents == 0) break;
    changed.notify_all();
  }
  std::lock_guard lock(mutex);
  if (!partial.empty()) lines.push_back(std::exchange(partial, {}));
  out_open = false;
  changed.notify_all();
}

bool Subprocess::State::EndsWithin(absl::Duration timeout) const {
  pollfd ended{pidfd.get(), POLLIN, 0};
  return ::poll(&ended, 1, static_cast<int>(absl::ToInt64Milliseconds(timeout))) > 0;
}

void Subprocess::State::Reap() {
  if (wait_status.has_value()) return;
  int status = 0;
  ::waitpid(pid, &status, 0);
  wait_status = status;
  ForgetProcess(pid);
}

Subprocess::Subprocess(const Command& command) : state_(std::make_unique<State>()) {
  Pipe in = MakePipe();
  Pipe out = command.terminal ? MakeTerminal() : MakePipe();
  Pipe err = MakePipe();
  Pipe stop = MakePipe();
  Image image = MakeImage(command);
  state_->pid = ::fork();
  if (state_->pid == 0) {
    ExecChild(image, command.netns_fd, in.read.get(), out.write.get(), err.write.get());
  }
  RequireSyscall(state_->pid, "fork");
  RememberProcess(state_->pid);
  state_->pidfd = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, state_->pid, 0)));
  Require(state_->pidfd.valid(), "pidfd_open");
  if (!command.input.empty()) {
    Require(::write(in.write.get(), command.input.data(), command.input.size()) ==
                static_cast<ssize_t>(command.input.size()),
            "write to standard input");
  }
  state_->out = std::move(out.read);
  state_->err = std::move(err.read);
  state_->stop = std::move(stop.read);
  state_->stop_write = std::move(stop.write);
  state_->reader = std::thread(&State::Read, state_.get());
}

Subprocess::~Subprocess() {
  if (!state_->wait_status.has_value()) {
    ::kill(-state_->pid, SIGKILL);
    ::kill(state_->pid, SIGKILL);
    state_->Reap();
  }
  // A grandchild that left the group may hold the output open (a stray for the snapshot to find): do not
  // wait.
  state_->stop_write.Reset();
  state_->reader.join();
}

pid_t Subprocess::pid() const { return state_->pid; }

bool Subprocess::running() const {
  return !state_->wait_status.has_value() && !state_->EndsWithin(absl::ZeroDuration());
}

void Subprocess::Signal(int signal) {
  if (!state_->wait_status.has_value()) ::kill(state_->pid, signal);
}

std::optional<std::string> Subprocess::WaitLine(size_t& from,
                                                const std::function<bool(const std::string&)>& wanted,
                                                absl::Duration timeout) {
  auto deadline = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(timeout);
  std::unique_lock lock(state_->mutex);
  while (true) {
    for (; from < state_->lines.size(); ++from) {
      if (wanted(state_->lines[from])) return state_->lines[from++];
    }
    if (!state_->out_open) return std::nullopt;
    if (state_->changed.wait_until(lock, deadline) == std::cv_status::timeout) return std::nullopt;
  }
}

std::vector<std::string> Subprocess::Lines() const {
  std::lock_guard lock(state_->mutex);
  return state_->lines;
}

std::string Subprocess::Errors() const {
  std::lock_guard lock(state_->mutex);
  return state_->errors;
}

Finished Subprocess::Wait(absl::Duration timeout) {
  Finished finished;
  if (!state_->wait_status.has_value() && !state_->EndsWithin(timeout)) {
    finished.timed_out = true;
    ::kill(-state_->pid, SIGKILL);
  }
  state_->Reap();
  {
    // Output that is still in the pipe belongs to it; a grandchild that keeps the pipe open is not waited
    // for.
    std::unique_lock lock(state_->mutex);
    state_->changed.wait_for(lock, std::chrono::seconds(2), [this] { return !state_->out_open; });
  }
  int status = *state_->wait_status;
  finished.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  finished.out = absl::StrJoin(Lines(), "\n");
  finished.err = Errors();
  return finished;
}

Finished RunCommand(const Command& command, absl::Duration timeout) {
  return Subprocess(command).Wait(Scaled(timeout));
}

std::string RequireCommand(const Command& command) {
  Finished finished = RunCommand(command);
  Require(finished.exit_code == 0, absl::StrJoin(command.argv, " ") + " (exit " +
                                       std::to_string(finished.exit_code) + "): " + finished.err);
  return finished.out;
}

std::set<pid_t> KnownProcesses() {
  std::lock_guard lock(known_mutex);
  return Known();
}

void RememberProcess(pid_t pid) {
  std::lock_guard lock(known_mutex);
  Known().insert(pid);
}

void ForgetProcess(pid_t pid) {
  std::lock_guard lock(known_mutex);
  Known().erase(pid);
}

void AdoptOrphans() {
  RequireSyscall(::prctl(PR_SET_CHILD_SUBREAPER, 1), "become the parent of orphaned grandchildren");
}

}  // namespace sabot::test
