// SPDX-License-Identifier: Apache-2.0
//
// A container runtime that answers what it was told to, on a unix socket in this process.
#ifndef SABOT_TESTS_UNIT_AGENT_CRI_SERVER_H_
#define SABOT_TESTS_UNIT_AGENT_CRI_SERVER_H_

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cri/v1/runtime.grpc.pb.h"

namespace sabot::agent {

class CriServer : public runtime::v1::RuntimeService::Service {
 public:
  explicit CriServer(const std::filesystem::path& socket) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("unix:" + socket.native(), grpc::InsecureServerCredentials());
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~CriServer() override { server_->Shutdown(std::chrono::system_clock::now()); }

  // Set before the calls; not guarded.
  runtime::v1::ContainerStatusResponse status;
  grpc::Status status_error = grpc::Status::OK;
  std::vector<runtime::v1::Container> containers;
  runtime::v1::ListContainersRequest asked_list;
  std::string asked_id;
  bool asked_verbose = false;
  std::atomic<bool> hang = false;

 private:
  void MaybeHang(grpc::ServerContext* context) const {
    while (hang && !context->IsCancelled()) ::usleep(10'000);
  }
  grpc::Status Version(grpc::ServerContext* context, const runtime::v1::VersionRequest*,
                       runtime::v1::VersionResponse* response) override {
    MaybeHang(context);
    response->set_runtime_name("containerd");
    response->set_runtime_version("1.6.20~ds1");
    return grpc::Status::OK;
  }
  grpc::Status ContainerStatus(grpc::ServerContext* context,
                               const runtime::v1::ContainerStatusRequest* request,
                               runtime::v1::ContainerStatusResponse* response) override {
    MaybeHang(context);
    asked_id = request->container_id();
    asked_verbose = request->verbose();
    *response = status;
    return status_error;
  }
  grpc::Status ListContainers(grpc::ServerContext*, const runtime::v1::ListContainersRequest* request,
                              runtime::v1::ListContainersResponse* response) override {
    asked_list = *request;
    for (const runtime::v1::Container& container : containers) *response->add_containers() = container;
    return grpc::Status::OK;
  }

  std::unique_ptr<grpc::Server> server_;
};

}  // namespace sabot::agent

#endif  // SABOT_TESTS_UNIT_AGENT_CRI_SERVER_H_
