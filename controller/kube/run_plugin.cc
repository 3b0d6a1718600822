// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <vector>

#include "controller/api/str_cat.h"
#include "controller/kube/credentials.h"
#include "loader/fd.h"
#include "loader/status.h"

extern char** environ;

namespace sabot::kube {
namespace {

constexpr size_t kMaxOutput = 1 << 20;

std::vector<std::string> Environment(const ExecPlugin& plugin) {
  // Of two entries with a name the first counts.
  std::vector<std::string> environment;
  for (const auto& [name, value] : plugin.environment) environment.push_back(name + "=" + value);
  environment.push_back(api::StrCat("KUBERNETES_EXEC_INFO={\"apiVersion\":\"", plugin.api_version,
                                    "\",\"kind\":\"ExecCredential\",\"spec\":{\"interactive\":false}}"));
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  return environment;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Reads until the end, the deadline or the bound.
absl::Status ReadAll(int fd, absl::Time deadline, std::string& out) {
  char buffer[4096];
  while (true) {
    pollfd waiting = {fd, POLLIN, 0};
    const int64_t left = absl::ToInt64Milliseconds(deadline - absl::Now());
    if (left <= 0 || poll(&waiting, 1, static_cast<int>(left)) == 0) {
      return absl::DeadlineExceededError("took too long");
    }
    const ssize_t got = read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(errno, "read");
    if (got == 0) return absl::OkStatus();
    out.append(buffer, got);
    if (out.size() > kMaxOutput) return absl::InvalidArgumentError("printed more than 1 MiB");
  }
}

}  // namespace

absl::StatusOr<std::string> RunPlugin(const ExecPlugin& plugin, absl::Duration timeout) {
  const auto failed = [&plugin](const absl::Status& status) {
    return absl::Status(status.code(),
                        api::StrCat("credential plugin ", plugin.command, ": ", status.message()));
  };
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return failed(ErrnoStatus(errno, "pipe"));
  loader::UniqueFd reading(ends[0]);
  loader::UniqueFd writing(ends[1]);
  std::vector<std::string> arguments = plugin.arguments;
  arguments.insert(arguments.begin(), plugin.command);
  std::vector<std::string> environment = Environment(plugin);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, writing.get(), 1);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, plugin.command.c_str(), &actions, nullptr, Pointers(arguments).data(),
                                 Pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return failed(ErrnoStatus(error, "start"));
  writing.Reset();
  std::string output;
  const absl::Status status = ReadAll(reading.get(), absl::Now() + timeout, output);
  if (!status.ok()) kill(pid, SIGKILL);
  int exit_status = 0;
  while (waitpid(pid, &exit_status, 0) < 0 && errno == EINTR) {
  }
  if (!status.ok()) return failed(status);
  if (exit_status != 0) return failed(absl::UnavailableError(api::StrCat("ended with status ", exit_status)));
  return output;
}

}  // namespace sabot::kube
