// SPDX-License-Identifier: Apache-2.0
#include "agent/clock/journalled.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/clock/patched_process.h"
#include "agent/clock/process_list.h"
#include "loader/probe_finding.h"
#include "loader/status.h"

namespace sabot::agent {
namespace {

// A process that forks while it is looked for has a child that is found next time.
constexpr int kRounds = 20;
// Threads are given this often 2 ms to leave the shim. What is left then does nothing.
constexpr int kTries = 500;
// A page more than any vDSO has.
constexpr uint32_t kMaxOffset = 64 * 1024;

ShimPatch PatchOf(const sabot::v1::ClockDeed::Piece& piece) {
  return {.offset = piece.offset(), .original = piece.original(), .changed = {}};
}

absl::StatusOr<Shim> ShimOf(const sabot::v1::ClockDeed& deed) {
  Shim shim;
  shim.body = PatchOf(deed.body());
  shim.data = deed.data();
  for (const auto& piece : deed.entries()) shim.entries.push_back(PatchOf(piece));
  bool sound = deed.owner() != 0 && deed.data() >= deed.body().offset() && deed.data() < kMaxOffset &&
               deed.body().original().size() >= deed.data() - deed.body().offset() + sizeof(ShimData);
  for (const ShimPatch& entry : shim.entries) sound &= entry.offset < shim.body.offset;
  if (sound) return shim;
  return absl::InvalidArgumentError("the journal's deed contradicts itself");
}

absl::StatusOr<bool> RestoreOne(pid_t pid, const Shim& shim, uint64_t owner) {
  bool found = false, ever = false;
  absl::StatusOr<bool> done = false;
  for (int i = 0; i < kTries; ++i) {
    done = RestoreForeign(pid, shim, owner, found);
    ever |= found;
    if (absl::IsNotFound(done.status())) return ever;
    if (done.ok() && *done) return ever;
    if (!done.ok() && !absl::IsUnavailable(done.status())) return done.status();
    absl::SleepFor(absl::Milliseconds(2));
  }
  if (!done.ok()) return done.status();
  return false;
}

}  // namespace

sabot::v1::ClockDeed ClockDeedOf(const Shim& shim, uint64_t owner) {
  sabot::v1::ClockDeed deed;
  deed.set_owner(owner);
  deed.set_data(static_cast<uint32_t>(shim.data));
  deed.mutable_body()->set_offset(static_cast<uint32_t>(shim.body.offset));
  deed.mutable_body()->set_original(shim.body.original);
  for (const ShimPatch& entry : shim.entries) {
    auto* piece = deed.add_entries();
    piece->set_offset(static_cast<uint32_t>(entry.offset));
    piece->set_original(entry.original);
  }
  return deed;
}

absl::Status UndoClock(const sabot::v1::ClockDeed& deed) {
  SABOT_ASSIGN_OR_RETURN(const Shim shim, ShimOf(deed));
  absl::Status first;
  const bool may_trace = (loader::EffectiveCapabilities() & loader::Capability(CAP_SYS_PTRACE)) != 0;
  for (int round = 0; round < kRounds; ++round) {
    bool any = false;
    for (const pid_t pid : AllProcesses()) {
      const auto found = RestoreOne(pid, shim, deed.owner());
      // What is closed even to who may trace was closed to the owner, too.
      if (absl::IsPermissionDenied(found.status()) && may_trace) continue;
      if (!found.ok()) first.Update(found.status());
      any |= found.ok() && *found;
    }
    if (!any) return first;
  }
  return absl::UnavailableError("processes fork faster than they can be restored");
}

}  // namespace sabot::agent
