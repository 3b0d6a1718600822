// SPDX-License-Identifier: Apache-2.0
//
// Asks the container runtime of the node about containers, by CRI (package runtime.v1) over its unix socket.
#ifndef SABOT_AGENT_CRI_H_
#define SABOT_AGENT_CRI_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace sabot::agent {

inline constexpr absl::Duration kCriTimeout = absl::Seconds(2);

// Where runtimes listen, in the order they are tried: containerd, CRI-O, cri-dockerd.
std::vector<std::string> DefaultCriSockets();

enum class ContainerState { kCreated, kRunning, kExited, kUnknown };
std::string_view ToString(ContainerState state);

struct ContainerInfo {
  std::string id;        // as the runtime has it, without a scheme
  std::string name;      // of the container in its pod
  std::string pod_name;  // from the labels that kubelet sets; empty without kubelet
  std::string pod_namespace;
  std::string pod_uid;
  std::string sandbox_id;  // may be empty
  ContainerState state = ContainerState::kUnknown;
  pid_t pid = 0;  // of the first process, in the runtime's pid namespace; 0 unless running

  // "0123456789ab (default/web-0/nginx)".
  std::string Describe() const;
};

// "containerd://ID" and the like without the scheme. INVALID_ARGUMENT unless the rest is 1 to 128 of
// [A-Za-z0-9_.-].
absl::StatusOr<std::string> ParseContainerId(std::string_view id);

// The first process of a container, from what ContainerStatus says in `info["info"]` when it is verbose: JSON
// of the runtime's own, of any shape. INVALID_ARGUMENT if there is no member "pid" that could be one. 0 is no
// error: a container that does not run. Pure.
absl::StatusOr<pid_t> ParseContainerPid(std::string_view info);

// A connection to one runtime. Thread-safe. No call takes longer than kCriTimeout.
class CriClient {
 public:
  // Takes the first socket behind which a runtime answers Version. UNAVAILABLE, naming each socket that was
  // tried and what was wrong with it, if there is none.
  static absl::StatusOr<std::unique_ptr<CriClient>> Connect(
      const std::vector<std::string>& sockets = DefaultCriSockets());

  CriClient(const CriClient&) = delete;
  CriClient& operator=(const CriClient&) = delete;
  ~CriClient();

  const std::string& socket() const { return socket_; }
  // "containerd 1.6.20".
  const std::string& runtime() const { return runtime_; }

  // `id` as for ParseContainerId. NOT_FOUND if the runtime does not know it; DEADLINE_EXCEEDED or UNAVAILABLE
  // if it does not answer.
  absl::StatusOr<ContainerInfo> Status(std::string_view id) const;

  // The running container of the same pod (by uid, or by sandbox without kubelet's labels) and name, the
  // newest if there are several. NOT_FOUND if there is none.
  absl::StatusOr<ContainerInfo> Successor(const ContainerInfo& ended) const;

 private:
  struct Stub;
  CriClient(std::string socket, std::string runtime, std::unique_ptr<Stub> stub);

  std::string socket_;
  std::string runtime_;
  std::unique_ptr<Stub> stub_;
};

}  // namespace sabot::agent

#endif  // SABOT_AGENT_CRI_H_
