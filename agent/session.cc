// SPDX-License-Identifier: Apache-2.0
#include "agent/session.h"

#include <sys/resource.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "loader/status.h"

namespace sabot::agent {
namespace {

// A thousand targets need some five thousand descriptors, far above the usual soft limit.
void RaiseDescriptorLimit() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);  // if refused, the fault that meets the limit says so
}

}  // namespace

Session::Session(Options options, loader::Features features, StateDir state_dir, Instance instance,
                 Journal journal)
    : owner_(options.reconciler.owner),
      accept_maps_(options.accept_maps),
      features_(std::move(features)),
      state_dir_(std::move(state_dir)),
      instance_(std::move(instance)),
      journal_(std::move(journal)),
      reconciler_(Reconciler::Start(std::move(options.reconciler), journal_, state_dir_, features_)) {}

absl::StatusOr<std::unique_ptr<Session>> Session::Create(Options options, loader::Features features,
                                                         UndoReport& repaired) {
  RaiseDescriptorLimit();
  SABOT_ASSIGN_OR_RETURN(StateDir state_dir, StateDir::Open(StateDir::DefaultPath(options.state_dir)));
  if (!options.accept_maps && state_dir.IsHalted()) {
    return absl::FailedPreconditionError(
        "this machine is halted and takes no faults; `sabot resume` allows them again");
  }
  SABOT_ASSIGN_OR_RETURN(repaired, UndoDeadInstances(state_dir));
  SABOT_ASSIGN_OR_RETURN(Instance instance, state_dir.CreateInstance());
  SABOT_ASSIGN_OR_RETURN(Journal journal, Journal::Create(instance.journal_path(), options.reconciler.owner));
  std::unique_ptr<Session> session(new Session(std::move(options), std::move(features), std::move(state_dir),
                                               std::move(instance), std::move(journal)));
  Session* self = session.get();
  SABOT_ASSIGN_OR_RETURN(session->server_, LocalServer::Start(
                                               session->instance_.socket_path(),
                                               [self](const sabot::v1::LocalRequest& request,
                                                      ConnectionId id) { return self->Answer(request, id); },
                                               [self](ConnectionId id) { self->Disconnected(id); }));
  return session;
}

Session::~Session() {
  server_.reset();
  reconciler_.reset();
}

sabot::v1::LocalResponse Session::Answer(const sabot::v1::LocalRequest& request, ConnectionId connection) {
  absl::Status status;
  switch (request.kind_case()) {
    case sabot::v1::LocalRequest::kStatus:
      break;
    case sabot::v1::LocalRequest::kHalt:
      reconciler_->Halt();
      break;
    case sabot::v1::LocalRequest::kApply:
      status = ApplyFrom(connection, request.apply().map());
      break;
    case sabot::v1::LocalRequest::KIND_NOT_SET:
      status = absl::InvalidArgumentError("kind: none is set, or one that this version does not know");
  }
  sabot::v1::LocalResponse response;
  response.set_code(static_cast<int>(status.code()));
  response.set_message(std::string(status.message()));
  response.set_owner(owner_);
  response.set_pid(static_cast<uint32_t>(getpid()));
  response.set_halted(state_dir_.IsHalted());
  for (auto& fault : reconciler_->Status()) *response.add_faults() = std::move(fault);
  return response;
}

absl::Status Session::ApplyFrom(ConnectionId connection, const sabot::v1::NodeFaultMap& map) {
  if (!accept_maps_) {
    return absl::UnimplementedError(absl::StrCat(owner_, " takes no fault maps; sabot-agent does"));
  }
  if (controller_ != 0 && controller_ != connection) {
    return absl::AlreadyExistsError("another connection holds this agent's fault map");
  }
  SABOT_RETURN_IF_ERROR(reconciler_->Apply(map));
  controller_ = connection;
  return absl::OkStatus();
}

void Session::Disconnected(ConnectionId connection) {
  if (connection != controller_) return;
  controller_ = 0;
  reconciler_->Release();
}

}  // namespace sabot::agent
