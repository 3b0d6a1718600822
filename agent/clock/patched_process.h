// SPDX-License-Identifier: Apache-2.0
#ifndef SABOT_AGENT_CLOCK_PATCHED_PROCESS_H_
#define SABOT_AGENT_CLOCK_PATCHED_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/clock/shim.h"
#include "loader/process_memory.h"
#include "loader/vdso.h"

namespace sabot::agent {

// What a shim shall say.
struct ShimSetting {
  uint32_t mask = 0;
  ShimTable table;

  friend bool operator==(const ShimSetting&, const ShimSetting&) = default;
};

// A process in whose vDSO the shim is. Does nothing by itself when it goes: what the process does then is
// decided by the shim's end, and by who calls Restore(). Move-only; thread-compatible.
class PatchedProcess {
 public:
  // Puts the shim in, or finds it there (a child that inherited it). The process is stopped for a moment if
  // it has to be changed; nothing is changed on error. `image` and `shim` must outlive it.
  //
  //  NOT_FOUND            it has ended, or executed another program meanwhile
  //  FAILED_PRECONDITION  no vDSO, a 32-bit one, one that somebody else changed, or a debugger is attached
  //  UNAVAILABLE          not at this moment: try again
  static absl::StatusOr<PatchedProcess> Patch(pid_t pid, const loader::VdsoImage& image, const Shim& shim,
                                              const ShimSetting& setting);
  // Only finds it there; NOT_FOUND also if it is not.
  static absl::StatusOr<PatchedProcess> Adopt(pid_t pid, const loader::VdsoImage& image, const Shim& shim);

  // Writes data only; nobody is stopped, and readers see the old setting or the new one. NOT_FOUND: the
  // memory is gone, the process has ended or executed another program.
  absl::Status Update(const ShimSetting& setting);

  // NOT_FOUND as above.
  absl::Status CheckReachable() const;

  // From the first call that is OK on, the clocks are true. True when every byte is as it was; false: a
  // thread is still on its way through the shim, to be called again. NOT_FOUND as above.
  absl::StatusOr<bool> Restore();

  // The one whose image is at `base` of this memory.
  static PatchedProcess At(pid_t pid, loader::ProcessMemory memory, uint64_t base, const Shim& shim) {
    return PatchedProcess(pid, std::move(memory), base, shim);
  }

  pid_t pid() const { return pid_; }
  // The shim was there already.
  bool inherited() const { return inherited_; }

 private:
  PatchedProcess(pid_t pid, loader::ProcessMemory memory, uint64_t base, const Shim& shim)
      : pid_(pid), memory_(std::move(memory)), base_(base), shim_(&shim) {}

  absl::Status Enter(const ShimSetting& setting);
  absl::Status WriteEntries(std::string ShimPatch::*bytes);

  pid_t pid_;
  loader::ProcessMemory memory_;
  uint64_t base_;  // of the image in the process
  const Shim* shim_;
  bool inherited_ = false;
  bool entries_restored_ = false;
  std::optional<ShimSetting> setting_;
};

// Takes out a shim that another instance put in, if `pid` has one of that owner: found by the marks in its
// memory, and restored from what the journal keeps. True when all is as it was (also if there is no such
// shim), false: to be called again.
absl::StatusOr<bool> RestoreForeign(pid_t pid, const Shim& shim, uint64_t owner, bool& found);

}  // namespace sabot::agent

#endif  // SABOT_AGENT_CLOCK_PATCHED_PROCESS_H_
