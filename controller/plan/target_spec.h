// SPDX-License-Identifier: Apache-2.0
//
// How a local thing that plays a pod or container is written: a kind and a value.
#ifndef SABOT_CONTROLLER_PLAN_TARGET_SPEC_H_
#define SABOT_CONTROLLER_PLAN_TARGET_SPEC_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "sabot/v1/fault.pb.h"

namespace sabot::plan {

// "pid", "netns", "cgroup", "unit", "container".
absl::Span<const std::string_view> TargetKinds();

// The target `name` of this kind. InvalidArgument when the kind is none of TargetKinds() or the value cannot
// be one; whether the thing exists is for the node to find out. Pure.
absl::StatusOr<sabot::v1::Target> MakeTarget(const std::string& name, std::string_view kind,
                                             std::string_view value);

}  // namespace sabot::plan

#endif  // SABOT_CONTROLLER_PLAN_TARGET_SPEC_H_
