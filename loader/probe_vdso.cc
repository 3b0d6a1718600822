// SPDX-License-Identifier: Apache-2.0
//
// Probe of what clock faults do to a process, on a child of our own that only waits.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "loader/probe_finding.h"
#include "loader/probe_list.h"
#include "loader/process_memory.h"
#include "loader/stopped_process.h"
#include "loader/vdso.h"

namespace sabot::loader {
namespace {

constexpr Capabilities kPtrace = Capability(CAP_SYS_PTRACE);

Finding Refused(const absl::Status& status) {
  if (absl::IsPermissionDenied(status)) return Denied(std::string(status.message()), EPERM, kPtrace);
  if (absl::IsFailedPrecondition(status) || absl::IsInvalidArgument(status)) {
    return No(std::string(status.message()));
  }
  return Unknown(std::string(status.message()));
}

// Writes what is there already.
absl::Status Rewrite(pid_t pid) {
  auto memory = ProcessMemory::Open(pid);
  if (!memory.ok()) return memory.status();
  auto mapping = FindVdso(pid, *memory);
  if (!mapping.ok()) return mapping.status();
  auto first = memory->Read(mapping->address, 1);
  if (!first.ok()) return first.status();
  return StoppedProcess::Run(pid, absl::Seconds(1), [&](StoppedProcess&) {
    absl::Status written = memory->Write(mapping->address, *first);
    // EIO is how the kernel says that it does not write to what is mapped read-only.
    if (written.ok() || absl::IsPermissionDenied(written)) return written;
    return absl::FailedPreconditionError(written.message());
  });
}

}  // namespace

Finding ProbeVdsoPatch(ProbeContext&) {
#if !defined(__x86_64__)
  return No("there is no shim for this architecture");
#endif
  auto image = OwnVdso();
  if (!image.ok()) return Refused(image.status());
  const pid_t child = ::fork();
  if (child < 0) return Unknown(absl::StrCat("fork a process to try it on: ", ErrorText(errno)));
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (true) ::pause();
  }
  const absl::Status status = Rewrite(child);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  return status.ok() ? Yes("a byte of a stopped process's vDSO was written") : Refused(status);
}

}  // namespace sabot::loader
