// SPDX-License-Identifier: Apache-2.0
#include "agent/clock/patched_process.h"

#include <cstring>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "loader/status.h"
#include "loader/stopped_process.h"

namespace sabot::agent {
namespace {

using loader::ProcessMemory;
using loader::StoppedProcess;

// A function's first instructions are three at most.
constexpr int kMaxSteps = 8;
// How much of each stack is searched for places to return to. Those of a signal's handler stand right above
// its own frames.
constexpr size_t kStackSearched = 64 * 1024;

// How long the threads that have stopped may have to wait for the last one. An idle processor needs some ten
// microseconds; a busy one is given more from try to try.
constexpr absl::Duration kPatience[] = {absl::Milliseconds(2), absl::Milliseconds(2), absl::Milliseconds(10),
                                        absl::Milliseconds(50)};

absl::Status WithThreadsStopped(pid_t pid, const std::function<absl::Status(StoppedProcess&)>& work) {
  absl::Status status;
  for (const absl::Duration patience : kPatience) {
    status = StoppedProcess::Run(pid, patience, work);
    if (!absl::IsUnavailable(status)) break;
  }
  return status;
}

uint64_t DataAddress(uint64_t base, const Shim& shim, size_t member) { return base + shim.data + member; }

// Whether a thread will get to an address for which `hot` is true by returning: from a call, or from the
// handler of a signal that came there. Every word of the stack counts, so this may be true though it does not
// hold, and not the other way round.
bool ReturnsTo(const ProcessMemory& memory, const StoppedProcess::Thread& thread,
               const std::function<bool(uint64_t)>& hot) {
  const std::string stack = memory.ReadUpTo(thread.sp & ~uint64_t{7}, kStackSearched);
  for (size_t at = 0; at + sizeof(uint64_t) <= stack.size(); at += sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, stack.data() + at, sizeof(word));
    if (hot(word)) return true;
  }
  return false;
}

ShimData DataOf(const std::string& image, const Shim& shim) {
  ShimData data;
  image.copy(reinterpret_cast<char*>(&data), sizeof(data), shim.data);
  return data;
}

bool Holds(const std::string& image, const std::vector<ShimPatch>& entries, std::string ShimPatch::*bytes) {
  for (const ShimPatch& entry : entries) {
    const std::string& wanted = entry.*bytes;
    if (image.compare(entry.offset, wanted.size(), wanted) != 0) return false;
  }
  return true;
}

// All but the shim's own bytes are the kernel's.
bool RestIsPristine(const std::string& image, const loader::VdsoImage& pristine, const Shim& shim) {
  std::string masked = image;
  masked.replace(shim.body.offset, shim.body.original.size(), shim.body.original);
  for (const ShimPatch& entry : shim.entries)
    masked.replace(entry.offset, entry.original.size(), entry.original);
  return masked == pristine.bytes;
}

enum class Found { kNothing, kOurs, kForeign };

// The shim's code is the same in every image of one version of this program; only its data differs.
Found LookAt(const std::string& image, const loader::VdsoImage& pristine, const Shim& shim) {
  if (image == pristine.bytes) return Found::kNothing;
  const ShimData data = DataOf(image, shim);
  const bool marked = std::memcmp(data.magic, kShimMagic, sizeof(kShimMagic)) == 0;
  if (!marked || !RestIsPristine(image, pristine, shim)) return Found::kForeign;
  // What a run left that could not clear up completely does nothing.
  if (Holds(image, shim.entries, &ShimPatch::original)) return Found::kNothing;
  ShimData ours;
  std::memcpy(static_cast<void*>(&ours), shim.body.changed.data() + (shim.data - shim.body.offset),
              sizeof(ours));
  return data.owner == ours.owner && Holds(image, shim.entries, &ShimPatch::changed) ? Found::kOurs
                                                                                     : Found::kForeign;
}

std::string BodyWith(const Shim& shim, const ShimSetting& setting) {
  std::string body = shim.body.changed;
  ShimData data;
  char* const place = body.data() + (shim.data - shim.body.offset);
  std::memcpy(static_cast<void*>(&data), place, sizeof(data));
  data.mask = setting.mask;
  data.tables[0] = setting.table;
  std::memcpy(place, &data, sizeof(data));
  return body;
}

template <typename T>
std::string_view BytesOf(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

struct Sight {
  ProcessMemory memory;
  uint64_t base = 0;
  Found found = Found::kNothing;
};

absl::StatusOr<Sight> LookAtProcess(pid_t pid, const loader::VdsoImage& image, const Shim& shim) {
  SABOT_ASSIGN_OR_RETURN(ProcessMemory memory, ProcessMemory::Open(pid));
  SABOT_ASSIGN_OR_RETURN(const loader::VdsoMapping mapping, loader::FindVdso(pid, memory));
  if (mapping.size != image.bytes.size()) {
    return absl::FailedPreconditionError(
        absl::StrCat("process ", pid, " has a vDSO of ", mapping.size, " bytes that is not this machine's"));
  }
  SABOT_ASSIGN_OR_RETURN(const std::string bytes, memory.Read(mapping.address, mapping.size));
  const Found found = LookAt(bytes, image, shim);
  return Sight{std::move(memory), mapping.address, found};
}

}  // namespace

bool Shim::InsideEntry(size_t offset) const {
  for (const ShimPatch& entry : entries) {
    if (offset > entry.offset && offset < entry.offset + entry.original.size()) return true;
  }
  return false;
}

bool Shim::InsideBody(size_t offset) const {
  return offset >= body.offset && offset < body.offset + body.original.size();
}

absl::StatusOr<PatchedProcess> PatchedProcess::Patch(pid_t pid, const loader::VdsoImage& image,
                                                     const Shim& shim, const ShimSetting& setting) {
  SABOT_ASSIGN_OR_RETURN(Sight sight, LookAtProcess(pid, image, shim));
  if (sight.found == Found::kForeign) {
    return absl::FailedPreconditionError(
        absl::StrCat("the vDSO of process ", pid, " is not the kernel's: somebody else changed it"));
  }
  PatchedProcess process(pid, std::move(sight.memory), sight.base, shim);
  process.inherited_ = sight.found == Found::kOurs;
  SABOT_RETURN_IF_ERROR(process.inherited_ ? process.Update(setting) : process.Enter(setting));
  return process;
}

absl::StatusOr<PatchedProcess> PatchedProcess::Adopt(pid_t pid, const loader::VdsoImage& image,
                                                     const Shim& shim) {
  SABOT_ASSIGN_OR_RETURN(Sight sight, LookAtProcess(pid, image, shim));
  if (sight.found == Found::kOurs) return PatchedProcess(pid, std::move(sight.memory), sight.base, shim);
  return absl::NotFoundError(absl::StrCat("no shim of ours is in process ", pid));
}

absl::Status PatchedProcess::Enter(const ShimSetting& setting) {
  const std::string body = BodyWith(*shim_, setting);
  const auto in_entry = [this](uint64_t address) { return shim_->InsideEntry(address - base_); };
  SABOT_RETURN_IF_ERROR(WithThreadsStopped(pid_, [&](StoppedProcess& stopped) -> absl::Status {
    for (StoppedProcess::Thread& thread : stopped.threads()) {
      for (int i = 0; i < kMaxSteps && in_entry(thread.pc); ++i) SABOT_RETURN_IF_ERROR(stopped.Step(thread));
      if (in_entry(thread.pc) || ReturnsTo(memory_, thread, in_entry)) {
        return absl::UnavailableError(absl::StrCat("thread ", thread.id, " of process ", pid_,
                                                   " is at the beginning of a function of the vDSO"));
      }
    }
    SABOT_RETURN_IF_ERROR(memory_.Write(base_ + shim_->body.offset, body));
    const absl::Status written = WriteEntries(&ShimPatch::changed);
    if (!written.ok()) WriteEntries(&ShimPatch::original).IgnoreError();
    return written;
  }));
  setting_ = setting;
  return absl::OkStatus();
}

absl::Status PatchedProcess::WriteEntries(std::string ShimPatch::*bytes) {
  for (const ShimPatch& entry : shim_->entries) {
    SABOT_RETURN_IF_ERROR(memory_.Write(base_ + entry.offset, entry.*bytes));
  }
  return absl::OkStatus();
}

absl::Status PatchedProcess::Update(const ShimSetting& setting) {
  if (setting_ == setting) return absl::OkStatus();
  // Not remembered: a process that shares its memory with this one may have been told meanwhile.
  SABOT_ASSIGN_OR_RETURN(
      const std::string now,
      memory_.Read(DataAddress(base_, *shim_, offsetof(ShimData, mask)), 2 * sizeof(uint32_t)));
  uint32_t mask = 0, sequence = 0;
  std::memcpy(&mask, now.data(), sizeof(mask));
  std::memcpy(&sequence, now.data() + sizeof(mask), sizeof(sequence));
  setting_.reset();
  ++sequence;
  const size_t table = offsetof(ShimData, tables) + (sequence & 1) * sizeof(ShimTable);
  SABOT_RETURN_IF_ERROR(memory_.Write(DataAddress(base_, *shim_, table), BytesOf(setting.table)));
  SABOT_RETURN_IF_ERROR(
      memory_.Write(DataAddress(base_, *shim_, offsetof(ShimData, sequence)), BytesOf(sequence)));
  if (mask != setting.mask) {
    SABOT_RETURN_IF_ERROR(
        memory_.Write(DataAddress(base_, *shim_, offsetof(ShimData, mask)), BytesOf(setting.mask)));
  }
  setting_ = setting;
  return absl::OkStatus();
}

absl::Status PatchedProcess::CheckReachable() const { return memory_.Read(base_, 1).status(); }

absl::StatusOr<bool> PatchedProcess::Restore() {
  SABOT_RETURN_IF_ERROR(Update({}));
  const auto in_body = [this](uint64_t address) { return shim_->InsideBody(address - base_); };
  bool clear = true;
  SABOT_RETURN_IF_ERROR(WithThreadsStopped(pid_, [&](StoppedProcess& stopped) -> absl::Status {
    // A jump is one instruction: nobody is inside it.
    if (!entries_restored_) SABOT_RETURN_IF_ERROR(WriteEntries(&ShimPatch::original));
    entries_restored_ = true;
    clear = true;
    for (const StoppedProcess::Thread& thread : stopped.threads()) {
      clear &= !in_body(thread.pc) && !ReturnsTo(memory_, thread, in_body);
    }
    return clear ? memory_.Write(base_ + shim_->body.offset, shim_->body.original) : absl::OkStatus();
  }));
  return clear;
}

absl::StatusOr<bool> RestoreForeign(pid_t pid, const Shim& shim, uint64_t owner, bool& found) {
  found = false;
  SABOT_ASSIGN_OR_RETURN(ProcessMemory memory, ProcessMemory::Open(pid));
  auto mapping = loader::FindVdso(pid, memory);
  if (absl::IsFailedPrecondition(mapping.status())) return true;
  if (!mapping.ok()) return mapping.status();
  if (mapping->size < shim.data + sizeof(ShimData)) return true;
  SABOT_ASSIGN_OR_RETURN(const std::string bytes, memory.Read(mapping->address, mapping->size));
  const ShimData data = DataOf(bytes, shim);
  if (std::memcmp(data.magic, kShimMagic, sizeof(kShimMagic)) != 0 || data.owner != owner) return true;
  found = true;
  return PatchedProcess::At(pid, std::move(memory), mapping->address, shim).Restore();
}

}  // namespace sabot::agent
