// SPDX-License-Identifier: Apache-2.0
#include "controller/plan/plan_time.h"

#include <algorithm>
#include <optional>
#include <string>

#include "controller/api/go_duration.h"
#include "controller/api/report.h"
#include "controller/api/str_cat.h"
#include "controller/plan/select.h"

namespace sabot::plan {
namespace {

using api::Quoted;
using api::StrCat;
using sabot::v1::ClockFault;

constexpr int32_t kStandstillPpb = -1'000'000'000;
constexpr int32_t kPpbPerPpm = 1000;

ClockFault FaultOf(const api::TimeChaosSpec& spec, PlanProblems& problems) {
  ClockFault fault;
  const auto offset = api::ParseGoDuration(spec.time_offset);
  if (offset.ok()) {
    fault.mutable_skew()->set_offset_ns(absl::ToInt64Nanoseconds(*offset));
  } else {
    problems.Error("spec.timeOffset", StrCat(offset.status().message()));
  }
  fault.mutable_skew()->set_rate_ppb(spec.freeze ? kStandstillPpb
                                                 : static_cast<int32_t>(spec.drift_ppm) * kPpbPerPpm);
  for (size_t i = 0; i < spec.clock_ids.size(); ++i) {
    const auto number = api::ClockNumber(spec.clock_ids[i]);
    if (!number) {
      problems.Error(StrCat("spec.clockIds[", i, "]"), StrCat("unknown clock id ", spec.clock_ids[i]));
      continue;
    }
    const auto& known = fault.clock_ids();
    if (std::find(known.begin(), known.end(), *number) == known.end()) fault.add_clock_ids(*number);
  }
  return fault;
}

void AddFault(const ClockFault& fault, const Pod& pod, const Container* container, Draft& draft) {
  Pod target = pod;
  if (container != nullptr) target.target = container->target;
  Record& record = draft.AddRecord(target, ".");
  if (container != nullptr) record.id = StrCat(record.id, "/", container->name);
  if (!draft.options().standalone && pod.node.empty()) {
    draft.Refuse(record, StrCat("pod ", pod.Id(), " is not on a node"));
    return;
  }
  *draft.AddFault(record, target, "skew", "").mutable_clock() = fault;
}

// The first container, or those that are named; a pod of which none is known is one itself.
void PlanPod(const api::TimeChaosSpec& spec, const ClockFault& fault, const Pod& pod, Draft& draft) {
  const auto& names = spec.container_names;
  if (names.empty()) {
    AddFault(fault, pod, pod.containers.empty() ? nullptr : &pod.containers.front(), draft);
    return;
  }
  bool any = false;
  for (const Container& container : pod.containers) {
    if (std::find(names.begin(), names.end(), container.name) == names.end()) continue;
    AddFault(fault, pod, &container, draft);
    any = true;
  }
  if (any) return;
  draft.problems().Warning("spec.containerNames",
                           StrCat("pod ", pod.Id(), " has no container of these names"));
}

}  // namespace

void PlanTimeChaos(const api::TimeChaosSpec& spec, PodIndex& index, absl::BitGenRef rng, Draft& draft) {
  if (!spec.remote_cluster.empty()) {
    draft.problems().Error("spec.remoteCluster", "not supported by this version");
  }
  draft.SetLifetime(spec.duration);
  draft.SetSabotOptions(spec.sabot);
  const ClockFault fault = FaultOf(spec, draft.problems());
  const std::optional<PodList> pods =
      SelectPods(spec.source, "spec", draft.options().filter_namespaces, index, rng, draft.problems());
  if (!pods || draft.problems().errors() > 0) return;
  for (const uint32_t position : *pods) PlanPod(spec, fault, index.pod(position), draft);
  draft.CheckCaps();
}

}  // namespace sabot::plan
