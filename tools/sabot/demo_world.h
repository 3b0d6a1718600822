// SPDX-License-Identifier: Apache-2.0
//
// What the demo acts on: two network namespaces of its own, joined by a veth pair, with a server in one and a
// client in the other. All of it goes with the object.
#ifndef SABOT_TOOLS_SABOT_DEMO_WORLD_H_
#define SABOT_TOOLS_SABOT_DEMO_WORLD_H_

#include <sys/types.h>

#include "absl/status/statusor.h"
#include "loader/fd.h"
#include "tools/sabot/demo_traffic.h"

namespace sabot::cli {

class DemoWorld {
 public:
  // To be called before the process has other threads: it forks.
  static absl::StatusOr<DemoWorld> Create();
  DemoWorld(DemoWorld&& other) noexcept;
  DemoWorld& operator=(DemoWorld&&) = delete;
  ~DemoWorld();

  pid_t client() const { return client_; }
  pid_t server() const { return server_; }
  // What the client saw since the last call.
  absl::StatusOr<TrafficReport> Report();

 private:
  DemoWorld(pid_t server, pid_t client, loader::UniqueFd ask, loader::UniqueFd answer);

  pid_t server_;  // 0: moved from
  pid_t client_;
  loader::UniqueFd ask_;
  loader::UniqueFd answer_;
};

}  // namespace sabot::cli

#endif  // SABOT_TOOLS_SABOT_DEMO_WORLD_H_
