// SPDX-License-Identifier: Apache-2.0
#include "controller/plan/plan_syscall.h"

#include <string>
#include <utility>
#include <vector>

#include "controller/api/str_cat.h"
#include "controller/plan/containers.h"
#include "controller/plan/select.h"

namespace sabot::plan {
namespace {

using api::ArgumentOperator;
using api::StrCat;
using sabot::v1::SyscallFault;

SyscallFault::Condition ConditionOf(const api::ArgumentCondition& arg) {
  SyscallFault::Condition condition;
  condition.set_argument(static_cast<uint32_t>(arg.index));
  condition.set_value(arg.number);
  condition.set_mask(arg.width == 32 ? 0xFFFFFFFFu : ~uint64_t{0});
  switch (arg.op) {
    case ArgumentOperator::kEqual:
      condition.set_comparison(SyscallFault::Condition::EQUAL);
      break;
    case ArgumentOperator::kNotEqual:
      condition.set_comparison(SyscallFault::Condition::NOT_EQUAL);
      break;
    case ArgumentOperator::kLess:
      condition.set_comparison(SyscallFault::Condition::LESS);
      break;
    case ArgumentOperator::kGreater:
      condition.set_comparison(SyscallFault::Condition::GREATER);
      break;
    case ArgumentOperator::kHasBits:
      condition.set_comparison(SyscallFault::Condition::EQUAL);
      condition.set_mask(arg.number);
      break;
  }
  return condition;
}

// What all faults of the experiment have in common.
SyscallFault CommonOf(const api::SyscallChaosSpec& spec) {
  SyscallFault fault;
  fault.set_percent(static_cast<double>(spec.percent));
  fault.set_skip(static_cast<uint64_t>(spec.skip));
  fault.set_times(static_cast<uint64_t>(spec.times));
  for (const api::ArgumentCondition& arg : spec.args) *fault.add_conditions() = ConditionOf(arg);
  fault.mutable_error()->set_number(static_cast<uint32_t>(spec.error));
  return fault;
}

SyscallFault Of(const SyscallFault& common, const std::string& entry) {
  SyscallFault fault = common;
  const std::vector<std::string> group = api::SyscallGroup(entry);
  fault.set_best_effort(!group.empty());
  if (group.empty()) fault.add_calls(entry);
  for (const std::string& call : group) fault.add_calls(call);
  return fault;
}

void PlanPod(const api::SyscallChaosSpec& spec, const SyscallFault& common, const Pod& pod, Draft& draft) {
  if (!draft.options().standalone && pod.node.empty()) {
    draft.Refuse(draft.AddRecord(pod, "."), StrCat("pod ", pod.Id(), " is not on a node"));
    return;
  }
  auto containers = ChooseContainers(pod, spec.container_names);
  if (!containers.ok()) {
    draft.Refuse(draft.AddRecord(pod, "."), std::string(containers.status().message()));
    return;
  }
  for (const ChosenContainer& container : *containers) {
    Record& record = draft.AddRecord(pod, ".");
    record.id = container.id;
    for (const std::string& entry : spec.syscalls) {
      sabot::v1::Fault& fault = draft.AddFault(record, pod, "error", "-" + entry);
      const bool allow_host_network = fault.target().allow_host_network();
      *fault.mutable_target() = container.target;
      fault.mutable_target()->set_name(container.id);
      fault.mutable_target()->set_allow_host_network(allow_host_network);
      *fault.mutable_syscall() = Of(common, entry);
    }
  }
}

}  // namespace

void PlanSyscallChaos(const api::SyscallChaosSpec& spec, PodIndex& index, absl::BitGenRef rng, Draft& draft) {
  if (!spec.remote_cluster.empty()) {
    draft.problems().Error("spec.remoteCluster", "not supported by this version");
  }
  draft.SetLifetime(spec.duration);
  draft.SetSabotOptions(spec.sabot);
  const auto pods =
      SelectPods(spec.source, "spec", draft.options().filter_namespaces, index, rng, draft.problems());
  if (!pods || draft.problems().errors() > 0) return;
  const SyscallFault common = CommonOf(spec);
  for (const uint32_t position : *pods) PlanPod(spec, common, index.pod(position), draft);
  draft.CheckCaps();
}

}  // namespace sabot::plan
