// SPDX-License-Identifier: Apache-2.0
//
// `sabot demo`: the example manifests on a client and a server of its own, in numbers.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "agent/state_dir.h"
#include "loader/status.h"
#include "tools/sabot/commands.h"
#include "tools/sabot/demo_proof.h"
#include "tools/sabot/demo_world.h"

extern char** environ;

namespace sabot::cli {
namespace {

namespace fs = std::filesystem;

struct Act {
  const char* manifest;
  const char* says;
};

constexpr Act kActs[] = {
    {"delay.yaml", "20 ms on every packet, both ways"},
    {"loss.yaml", "a fifth of the client's packets vanish"},
    {"partition.yaml", "nothing passes between the two"},
};
constexpr int kQuietSeconds = 2;
constexpr int kFaultSeconds = 5;

std::string SelfPath() { return fs::read_symlink("/proc/self/exe"); }

// From the build tree or from where a package puts them.
absl::StatusOr<fs::path> FindExamples(const std::string& given) {
  const fs::path bin = fs::path(SelfPath()).parent_path();
  for (const fs::path& place : {fs::path(given), bin / "../../examples", bin / "../share/sabot/examples"}) {
    if (fs::exists(place / kActs[0].manifest)) return fs::weakly_canonical(place);
  }
  return absl::NotFoundError(
      "the example manifests are not beside this program; name their directory by --examples");
}

// One `sabot run` as a child; what it prints goes to a file descriptor.
class RunningExperiment {
 public:
  static absl::StatusOr<RunningExperiment> Start(const std::vector<std::string>& arguments) {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0) return ErrnoStatus(errno, "pipe");
    loader::UniqueFd out(fds[0]), in(fds[1]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in.get(), STDOUT_FILENO);
    std::vector<char*> argv;
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    pid_t pid = 0;
    const int error = posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) return ErrnoStatus(error, absl::StrCat("start ", arguments[0]));
    return RunningExperiment(pid, std::move(out));
  }
  RunningExperiment(RunningExperiment&& other) noexcept
      : pid_(std::exchange(other.pid_, 0)), out_(std::move(other.out_)) {}
  ~RunningExperiment() {
    if (pid_ <= 0) return;
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }

  // The next event; null at the end of the output.
  nlohmann::json Next() {
    size_t end;
    while ((end = text_.find('\n')) == std::string::npos) {
      char buffer[4096];
      const ssize_t got = read(out_.get(), buffer, sizeof(buffer));
      if (got <= 0) return nullptr;
      text_.append(buffer, static_cast<size_t>(got));
    }
    const std::string line = text_.substr(0, end);
    text_.erase(0, end + 1);
    return nlohmann::json::parse(line, nullptr, false);
  }

  // Its exit code.
  int Wait() {
    int status = 0;
    waitpid(std::exchange(pid_, 0), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : kExitFailed;
  }

 private:
  RunningExperiment(pid_t pid, loader::UniqueFd out) : pid_(pid), out_(std::move(out)) {}

  pid_t pid_;  // 0: waited for
  loader::UniqueFd out_;
  std::string text_;
};

void PrintReport(const char* when, const TrafficReport& report) {
  std::cout << absl::StrFormat("  %-10s %8.0f %12.2f %12.2f %8d\n", when, report.answered / report.seconds,
                               report.median_ms, report.p99_ms, report.failed)
            << std::flush;
}

absl::Status Watch(DemoWorld& world, const char* when, int seconds) {
  SABOT_RETURN_IF_ERROR(world.Report().status());  // what was before
  for (int i = 0; i < seconds; ++i) {
    sleep(1);
    SABOT_ASSIGN_OR_RETURN(const TrafficReport report, world.Report());
    PrintReport(when, report);
  }
  return absl::OkStatus();
}

void PrintOutcome(const nlohmann::json& ended) {
  if (!ended.is_object() || !ended.contains("faults")) return;
  for (const auto& fault : ended["faults"]) {
    std::cout << absl::StrFormat("  %s on %s by %s: %d packets seen, %d matched, %d affected; %s\n",
                                 fault["kind"].get<std::string>(), fault["target"].get<std::string>(),
                                 fault["mechanism"].get<std::string>(), fault["seen"].get<uint64_t>(),
                                 fault["matched"].get<uint64_t>(), fault["affected"].get<uint64_t>(),
                                 fault["phase"].get<std::string>());
  }
}

absl::Status Perform(const Act& act, const fs::path& examples, DemoWorld& world) {
  std::cout << "\n"
            << act.manifest << ": " << act.says << "\n"
            << absl::StrFormat("  %-10s %8s %12s %12s %8s\n", "", "req/s", "median ms", "p99 ms", "failed");
  SABOT_RETURN_IF_ERROR(Watch(world, "before", kQuietSeconds));
  SABOT_ASSIGN_OR_RETURN(
      RunningExperiment run,
      RunningExperiment::Start({SelfPath(), "run", examples / act.manifest, "--duration",
                                absl::StrCat(kFaultSeconds, "s"), "-o", "json", "--target",
                                absl::StrCat("demo/client=pid:", world.client(), ",app=client"), "--target",
                                absl::StrCat("demo/server=pid:", world.server(), ",app=server")}));
  const nlohmann::json first = run.Next();
  if (!first.is_object() || first.value("event", "") != "injected") {
    return absl::InternalError(absl::StrCat(act.manifest, " was not injected"));
  }
  SABOT_RETURN_IF_ERROR(Watch(world, "during", kFaultSeconds - 1));
  nlohmann::json event, last;
  while (!(event = run.Next()).is_null()) last = event;
  if (const int code = run.Wait(); code != 0) {
    return absl::InternalError(absl::StrCat("sabot run ", act.manifest, " ended with ", code));
  }
  sleep(1);  // TCP's own timers
  SABOT_RETURN_IF_ERROR(Watch(world, "after", kQuietSeconds));
  PrintOutcome(last);
  return absl::OkStatus();
}

absl::Status PerformAll(const std::string& given_examples) {
  SABOT_ASSIGN_OR_RETURN(const fs::path examples, FindExamples(given_examples));
  SABOT_ASSIGN_OR_RETURN(DemoWorld world, DemoWorld::Create());
  std::cout
      << "A client asks a server, about every millisecond, between two network namespaces made for this.\n"
         "Three experiments act on them, each for "
      << kFaultSeconds << " seconds; the figures are the client's own. About 40 seconds in all.\n";
  for (const Act& act : kActs) SABOT_RETURN_IF_ERROR(Perform(act, examples, world));
  return absl::OkStatus();
}

}  // namespace

int Demo(const std::string& examples) {
  if (geteuid() != 0) {
    PrintError("the demo injects real faults into processes of its own, which needs root; run it with sudo");
    return kExitFailed;
  }
  const std::string state_dir = agent::StateDir::DefaultPath();
  const HostState before = ReadHostState(state_dir);
  if (absl::Status performed = PerformAll(examples); !performed.ok()) {
    PrintError(performed);
    return kExitFailed;
  }
  bool clean = false;
  const std::string proof = CompareHostStates(before, ReadHostState(state_dir), clean);
  std::cout
      << "\nWhat Sabot could have left on this machine, before the first experiment and after the last:\n"
      << proof << (clean ? "Nothing was left behind.\n" : "");
  return clean ? kExitOk : kExitFailed;
}

}  // namespace sabot::cli
