// SPDX-License-Identifier: Apache-2.0
#include "tests/host/cri/containerd.h"

#include <fcntl.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <future>
#include <iostream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include "agent/cgroup.h"

namespace sabot::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr char kImage[] = "sabot.test/box:1";

// CNI: the plugin says which address it gave; nobody checks. "loopback" is called for every pod too.
constexpr char kPlugin[] = R"(#!/bin/sh
[ "$CNI_COMMAND" = ADD ] || exit 0
echo "$CNI_NETNS" | tee -a "$(dirname "$0")/all-netns" >"$(dirname "$0")/last-netns"
echo '{"cniVersion": "0.3.1", "interfaces": [{"name": "eth0", "sandbox": "'"$CNI_NETNS"'"}],
       "ips": [{"version": "4", "interface": 0, "address": "192.0.2.2/24"}]}'
)";
constexpr char kNetwork[] =
    R"({"cniVersion": "0.3.1", "name": "sabot-test", "plugins": [{"type": "sabot-test"}]})";

std::string Slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool HasProgram(const char* name) {
  return std::system((std::string("command -v ") + name + " >/dev/null 2>&1").c_str()) == 0;
}

pid_t Spawn(const std::vector<std::string>& arguments, const fs::path& log) {
  pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(fd, 1);
  ::dup2(fd, 2);
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  ::_exit(127);
}

// Removes a cgroup and those below it; false while something is still in there.
bool RemoveTree(const fs::path& group) {
  for (const fs::path& inner : agent::SubgroupsOf(group)) RemoveTree(inner);
  return ::rmdir(group.c_str()) == 0;
}

// Runs a program to its end, with its words in `log`. False unless it exits 0.
bool Run(const std::vector<std::string>& arguments, const fs::path& log) {
  int status = -1;
  pid_t pid = Spawn(arguments, log);
  return ::waitpid(pid, &status, 0) == pid && status == 0;
}

}  // namespace

std::string Containerd::WhyNot() {
  if (::getuid() != 0) return "needs root";
  for (const char* program : {"containerd", "ctr", "runc", "busybox"}) {
    if (!HasProgram(program)) return std::string(program) + " is not installed";
  }
  return "";
}

std::unique_ptr<Containerd> Containerd::Start(std::string& why) {
  std::unique_ptr<Containerd> self(new Containerd());
  std::string name = fs::temp_directory_path() / "sabot-containerd-XXXXXX";
  self->dir_ = ::mkdtemp(name.data());
  if (self->WriteFiles() && self->StartDaemon() && self->ImportImage()) return self;
  why = Slurp(self->dir_ / "log");
  return nullptr;
}

bool Containerd::WriteFiles() {
  fs::create_directories(dir_ / "cni");
  for (const char* plugin : {"sabot-test", "loopback"}) {
    std::ofstream(dir_ / "cni" / plugin) << kPlugin;
    ::chmod((dir_ / "cni" / plugin).c_str(), 0755);
  }
  std::ofstream(dir_ / "cni" / "sabot.conflist") << kNetwork;
  std::ofstream config(dir_ / "config.toml");
  config << "version = 2\n"
         << "root = \"" << (dir_ / "root").native() << "\"\n"
         << "state = \"" << (dir_ / "state").native() << "\"\n"
         << "[grpc]\n  address = \"" << socket() << "\"\n"
         << "[plugins.\"io.containerd.grpc.v1.cri\"]\n"
         << "  sandbox_image = \"" << kImage
         << "\"\n"
         // Without CAP_SYS_RESOURCE runc cannot lower the score, and fails.
         << "  restrict_oom_score_adj = true\n"
         << "  disable_tcp_service = true\n  stream_server_port = \"0\"\n"
         << "  [plugins.\"io.containerd.grpc.v1.cri\".containerd]\n    snapshotter = \"native\"\n"
         << "  [plugins.\"io.containerd.grpc.v1.cri\".cni]\n"
         << "    bin_dir = \"" << (dir_ / "cni").native() << "\"\n"
         << "    conf_dir = \"" << (dir_ / "cni").native() << "\"\n";
  return config.good();
}

template <typename Response, typename Request>
Response Containerd::Call(const std::string& method, const Request& request) {
  grpc::TemplatedGenericStub<Request, Response> stub(channel_);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  Response response;
  std::promise<grpc::Status> done;
  stub.UnaryCall(&context, "/runtime.v1.RuntimeService/" + method, grpc::StubOptions(), &request, &response,
                 [&done](grpc::Status status) { done.set_value(std::move(status)); });
  grpc::Status status = done.get_future().get();
  if (!status.ok()) throw std::runtime_error(method + ": " + status.error_message());
  return response;
}

bool Containerd::StartDaemon() {
  daemon_ = Spawn({"containerd", "--config", dir_ / "config.toml"}, dir_ / "log");
  channel_ = grpc::CreateChannel("unix:" + socket(), grpc::InsecureChannelCredentials());
  for (int i = 0; i < 300; ++i) {
    // Its socket is there before its CRI is ready to answer.
    try {
      Call<cri::Nothing>("ListContainers", cri::Nothing());
      return true;
    } catch (const std::runtime_error&) {
      std::this_thread::sleep_for(milliseconds(100));
    }
  }
  return false;
}

void Containerd::StopDaemon() {
  if (daemon_ <= 0) return;
  ::kill(daemon_, SIGTERM);
  ::waitpid(std::exchange(daemon_, -1), nullptr, 0);
}

bool Containerd::ImportImage() {
  return Run({SABOT_MAKE_IMAGE, dir_ / "image.tar", kImage}, dir_ / "log") &&
         Run({"ctr", "--address", socket(), "--namespace", "k8s.io", "images", "import", "--snapshotter",
              "native", dir_ / "image.tar"},
             dir_ / "log");
}

Containerd::~Containerd() {
  for (const auto& [id, config] : std::exchange(pods_, {})) {
    try {
      RemovePod(id);
    } catch (const std::runtime_error& error) {
      std::cerr << "removing pod " << id << " by force: " << error.what() << std::endl;
    }
  }
  StopDaemon();
  SweepProcesses();
  SweepCgroups();
  SweepMounts();
  std::error_code ignored;
  fs::remove_all(dir_, ignored);
}

// Shims outlive their daemon; what they run ends with them or is in our groups.
void Containerd::SweepProcesses() const {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (Slurp(entry.path() / "cmdline").find(socket()) != std::string::npos) {
      ::kill(std::atoi(name.c_str()), SIGKILL);
    }
  }
}

// The parent groups that pods were given are ours to remove, in every hierarchy.
void Containerd::SweepCgroups() const {
  std::vector<fs::path> roots = {"/sys/fs/cgroup"};
  for (const fs::path& hierarchy : agent::SubgroupsOf("/sys/fs/cgroup")) roots.push_back(hierarchy);
  for (const fs::path& root : roots) {
    const fs::path group = root / dir_.filename();
    auto members = agent::MembersOf(group);
    if (!members.ok()) continue;
    for (pid_t pid : *members) ::kill(pid, SIGKILL);
    for (int i = 0; i < 100 && !RemoveTree(group); ++i) std::this_thread::sleep_for(milliseconds(10));
  }
}

void Containerd::SweepMounts() const {
  std::ifstream mounts("/proc/self/mountinfo");
  std::vector<std::string> ours;
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string point;
    for (int i = 0; i < 5; ++i) fields >> point;
    if (point.starts_with(dir_.native() + "/")) ours.push_back(point);
  }
  for (auto point = ours.rbegin(); point != ours.rend(); ++point) ::umount2(point->c_str(), MNT_DETACH);
  std::ifstream names(dir_ / "cni" / "all-netns");
  for (std::string netns; std::getline(names, netns);) {
    ::umount2(netns.c_str(), MNT_DETACH);
    ::unlink(netns.c_str());
  }
}

void Containerd::CallById(const std::string& method, const std::string& id) {
  cri::Id request;
  request.set_id(id);
  Call<cri::Nothing>(method, request);
}

cri::PodConfig Containerd::Config(const std::string& name, bool host_network) const {
  cri::PodConfig config;
  config.mutable_metadata()->set_name(name);
  config.mutable_metadata()->set_uid("uid-" + name);
  config.mutable_metadata()->set_namespace_("default");
  config.set_log_directory(dir_ / "logs");
  (*config.mutable_labels())["io.kubernetes.pod.uid"] = "uid-" + name;
  config.mutable_linux()->set_cgroup_parent("/" + dir_.filename().native() + "/" + name);
  config.mutable_linux()->mutable_security_context()->mutable_namespace_options()->set_network(
      host_network ? cri::NODE : cri::POD);
  return config;
}

std::string Containerd::RunPod(const std::string& name, bool host_network) {
  cri::RunPodSandboxRequest request;
  *request.mutable_config() = Config(name, host_network);
  std::string id = Call<cri::Id>("RunPodSandbox", request).id();
  pods_.emplace_back(id, request.config());
  return id;
}

std::string Containerd::CreateContainer(const std::string& pod, const std::string& name, uint32_t attempt,
                                        const std::string& mark) {
  auto config =
      std::find_if(pods_.begin(), pods_.end(), [&](const auto& entry) { return entry.first == pod; });
  if (config == pods_.end()) throw std::runtime_error("no pod " + pod);
  cri::CreateContainerRequest request;
  request.set_pod_sandbox_id(pod);
  *request.mutable_sandbox_config() = config->second;
  cri::ContainerConfig& container = *request.mutable_config();
  container.mutable_metadata()->set_name(name);
  container.mutable_metadata()->set_attempt(attempt);
  container.mutable_image()->set_image(kImage);
  for (const char* word : {"/bin/sh", "-c", "while :; do sleep 1000000; done"}) container.add_command(word);
  container.add_command(mark);
  const std::string& pod_name = config->second.metadata().name();
  (*container.mutable_labels())["io.kubernetes.container.name"] = name;
  (*container.mutable_labels())["io.kubernetes.pod.name"] = pod_name;
  (*container.mutable_labels())["io.kubernetes.pod.namespace"] = "default";
  (*container.mutable_labels())["io.kubernetes.pod.uid"] = "uid-" + pod_name;
  *container.mutable_linux()->mutable_security_context()->mutable_namespace_options() =
      config->second.linux().security_context().namespace_options();
  return Call<cri::Id>("CreateContainer", request).id();
}

void Containerd::RemovePod(const std::string& id) {
  CallById("StopPodSandbox", id);
  CallById("RemovePodSandbox", id);
  std::erase_if(pods_, [&](const auto& entry) { return entry.first == id; });
}

std::string Containerd::LastNetns() const {
  std::string name = Slurp(dir_ / "cni" / "last-netns");
  return name.substr(0, name.find('\n'));
}

namespace {

pid_t FindMark(const std::string& mark) {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::string command = Slurp(entry.path() / "cmdline");
    if (command.starts_with("/bin/sh") && command.find(mark) != std::string::npos) {
      return std::atoi(name.c_str());
    }
  }
  return 0;
}

}  // namespace

pid_t ProcessWithMark(const std::string& mark) {
  for (int i = 0; i < 100; ++i) {
    if (pid_t pid = FindMark(mark); pid != 0) return pid;
    std::this_thread::sleep_for(milliseconds(20));
  }
  return 0;
}

}  // namespace sabot::test
