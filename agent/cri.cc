// SPDX-License-Identifier: Apache-2.0
#include "agent/cri.h"

#include <grpcpp/grpcpp.h>
#include <sys/stat.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "agent/cri_info.h"
#include "agent/process.h"
#include "cri/v1/runtime.grpc.pb.h"
#include "loader/status.h"

namespace sabot::agent {
namespace {

namespace cri = runtime::v1;

constexpr char kPodName[] = "io.kubernetes.pod.name";
constexpr char kPodNamespace[] = "io.kubernetes.pod.namespace";
constexpr char kPodUid[] = "io.kubernetes.pod.uid";
constexpr char kContainerName[] = "io.kubernetes.container.name";

absl::Status FromGrpc(const grpc::Status& status, const std::string& attempt) {
  if (status.ok()) return absl::OkStatus();
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                      absl::StrCat(attempt, ": ", status.error_message()));
}

std::shared_ptr<grpc::Channel> OpenChannel(const std::string& socket) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  return grpc::CreateCustomChannel("unix:" + socket, grpc::InsecureChannelCredentials(), arguments);
}

void SetDeadline(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(kCriTimeout));
}

absl::Status CheckSocket(const std::string& socket) {
  struct stat info {};
  if (::stat(socket.c_str(), &info) != 0) return ErrnoStatus(errno, socket);
  if (!S_ISSOCK(info.st_mode)) return absl::FailedPreconditionError(socket + ": not a socket");
  return absl::OkStatus();
}

ContainerState FromCri(cri::ContainerState state) {
  switch (state) {
    case cri::CONTAINER_CREATED:
      return ContainerState::kCreated;
    case cri::CONTAINER_RUNNING:
      return ContainerState::kRunning;
    case cri::CONTAINER_EXITED:
      return ContainerState::kExited;
    default:
      return ContainerState::kUnknown;
  }
}

template <typename Map>
std::string Label(const Map& labels, const char* key) {
  auto found = labels.find(key);
  return found == labels.end() ? "" : found->second;
}

ContainerInfo FromStatus(const cri::ContainerStatus& status) {
  const auto& labels = status.labels();
  std::string label = Label(labels, kContainerName);
  return {.id = status.id(),
          .name = label.empty() ? status.metadata().name() : label,
          .pod_name = Label(labels, kPodName),
          .pod_namespace = Label(labels, kPodNamespace),
          .pod_uid = Label(labels, kPodUid),
          .sandbox_id = "",
          .state = FromCri(status.state()),
          .pid = 0};
}

}  // namespace

std::vector<std::string> DefaultCriSockets() {
  return {"/run/containerd/containerd.sock", "/run/crio/crio.sock", "/run/cri-dockerd.sock"};
}

std::string_view ToString(ContainerState state) {
  switch (state) {
    case ContainerState::kCreated:
      return "created";
    case ContainerState::kRunning:
      return "running";
    case ContainerState::kExited:
      return "exited";
    case ContainerState::kUnknown:
      break;
  }
  return "in an unknown state";
}

std::string ContainerInfo::Describe() const {
  std::string short_id = id.substr(0, 12);
  std::string pod = pod_namespace.empty() ? pod_name : absl::StrCat(pod_namespace, "/", pod_name);
  if (pod.empty() && name.empty()) return short_id;
  return absl::StrCat(short_id, " (", pod, pod.empty() || name.empty() ? "" : "/", name, ")");
}

absl::StatusOr<std::string> ParseContainerId(std::string_view id) {
  std::string_view bare = id;
  if (size_t scheme = id.find("://"); scheme != id.npos) bare.remove_prefix(scheme + 3);
  bool good = !bare.empty() && bare.size() <= 128;
  for (unsigned char c : bare) good = good && (absl::ascii_isalnum(c) || c == '_' || c == '.' || c == '-');
  if (good) return std::string(bare);
  return absl::InvalidArgumentError(
      absl::StrCat("\"", std::string(id.substr(0, 200)), "\" is not a container id"));
}

absl::StatusOr<pid_t> ParseContainerPid(std::string_view info) {
  std::optional<int64_t> pid = ParseCriInfo(info).pid;
  if (!pid) {
    return absl::InvalidArgumentError("the runtime's information about the container has no number \"pid\"");
  }
  if (*pid < 0 || *pid > kMaxPid) {
    return absl::InvalidArgumentError(absl::StrCat("the runtime says that the container's pid is ", *pid));
  }
  return static_cast<pid_t>(*pid);
}

struct CriClient::Stub {
  std::unique_ptr<cri::RuntimeService::Stub> rpc;
};

CriClient::CriClient(std::string socket, std::string runtime, std::unique_ptr<Stub> stub)
    : socket_(std::move(socket)), runtime_(std::move(runtime)), stub_(std::move(stub)) {}

CriClient::~CriClient() = default;

absl::StatusOr<std::unique_ptr<CriClient>> CriClient::Connect(const std::vector<std::string>& sockets) {
  std::vector<std::string> failures;
  for (const std::string& socket : sockets) {
    absl::Status status = CheckSocket(socket);
    if (status.ok()) {
      auto stub = std::make_unique<Stub>(Stub{cri::RuntimeService::NewStub(OpenChannel(socket))});
      grpc::ClientContext context;
      SetDeadline(context);
      cri::VersionResponse version;
      status = FromGrpc(stub->rpc->Version(&context, {}, &version), socket);
      std::string runtime = absl::StrCat(version.runtime_name(), " ", version.runtime_version());
      if (status.ok()) {
        return std::unique_ptr<CriClient>(new CriClient(socket, std::move(runtime), std::move(stub)));
      }
    }
    failures.emplace_back(status.message());
  }
  return absl::UnavailableError(
      absl::StrCat("no container runtime answers; tried ", absl::StrJoin(failures, "; ")));
}

absl::StatusOr<ContainerInfo> CriClient::Status(std::string_view id) const {
  cri::ContainerStatusRequest request;
  SABOT_ASSIGN_OR_RETURN(*request.mutable_container_id(), ParseContainerId(id));
  request.set_verbose(true);
  const std::string attempt = absl::StrCat("ask ", runtime_, " about container ", request.container_id());
  grpc::ClientContext context;
  SetDeadline(context);
  cri::ContainerStatusResponse response;
  SABOT_RETURN_IF_ERROR(FromGrpc(stub_->rpc->ContainerStatus(&context, request, &response), attempt));

  ContainerInfo container = FromStatus(response.status());
  const std::string info = Label(response.info(), "info");
  container.sandbox_id = ParseCriInfo(info).sandbox_id;
  if (container.state != ContainerState::kRunning) return container;
  auto pid = ParseContainerPid(info);
  if (!pid.ok()) {
    return absl::Status(pid.status().code(), absl::StrCat(attempt, ": ", pid.status().message()));
  }
  container.pid = *pid;
  return container;
}

absl::StatusOr<ContainerInfo> CriClient::Successor(const ContainerInfo& ended) const {
  cri::ListContainersRequest request;
  cri::ContainerFilter& filter = *request.mutable_filter();
  filter.mutable_state()->set_state(cri::CONTAINER_RUNNING);
  if (!ended.pod_uid.empty()) {
    (*filter.mutable_label_selector())[kPodUid] = ended.pod_uid;
  } else if (!ended.sandbox_id.empty()) {
    filter.set_pod_sandbox_id(ended.sandbox_id);
  } else {
    return absl::NotFoundError(
        absl::StrCat("container ", ended.Describe(), " has no pod to find a successor in"));
  }
  const std::string attempt =
      absl::StrCat("ask ", runtime_, " for the successor of container ", ended.Describe());
  grpc::ClientContext context;
  SetDeadline(context);
  cri::ListContainersResponse response;
  SABOT_RETURN_IF_ERROR(FromGrpc(stub_->rpc->ListContainers(&context, request, &response), attempt));

  const cri::Container* newest = nullptr;
  for (const cri::Container& container : response.containers()) {
    if (container.state() != cri::CONTAINER_RUNNING || container.metadata().name() != ended.name) continue;
    if (newest == nullptr || container.created_at() > newest->created_at()) newest = &container;
  }
  if (newest == nullptr) return absl::NotFoundError(attempt + ": there is none");
  return Status(newest->id());
}

}  // namespace sabot::agent
