// SPDX-License-Identifier: Apache-2.0
//
// One custom resource that asks for faults, whatever its kind. A plain value.
#ifndef SABOT_CONTROLLER_API_EXPERIMENT_H_
#define SABOT_CONTROLLER_API_EXPERIMENT_H_

#include <string>
#include <variant>

#include "controller/api/metadata.h"
#include "controller/api/network_chaos.h"
#include "controller/api/source.h"
#include "controller/api/syscall_chaos.h"
#include "controller/api/time_chaos.h"

namespace sabot::api {

struct Experiment {
  std::string api_version;  // "chaos-mesh.org/v1alpha1"
  std::string kind;         // "NetworkChaos"
  ObjectMeta metadata;
  // A new kind adds its spec here and one line to the list in kinds.cc.
  std::variant<NetworkChaosSpec, TimeChaosSpec, SyscallChaosSpec> spec;
  Source source;
};

}  // namespace sabot::api

#endif  // SABOT_CONTROLLER_API_EXPERIMENT_H_
