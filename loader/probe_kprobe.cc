// SPDX-License-Identifier: Apache-2.0
//
// Probes of kprobes, attached by a perf event to a system call that hardly anybody makes.
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "loader/bpf_insn.h"
#include "loader/probe_context.h"
#include "loader/probe_list.h"
#include "loader/probe_program.h"
#include "loader/probe_targets.h"

namespace sabot::loader {
namespace {

using namespace insn;

constexpr char kPerfSources[] = "/sys/bus/event_source/devices";

// The number under which perf knows kprobes; 0 if it does not.
uint32_t KprobeEventType() {
  uint32_t type = 0;
  std::ifstream(absl::StrCat(kPerfSources, "/kprobe/type")) >> type;
  return type;
}

// Puts a kprobe on the function; it is there until the descriptor is closed, and disabled.
UniqueFd OpenKprobe(uint32_t type, const std::string& function) {
  perf_event_attr attributes{};
  attributes.size = sizeof(attributes);
  attributes.type = type;
  attributes.disabled = 1;
  attributes.kprobe_func = reinterpret_cast<uintptr_t>(function.c_str());
  return UniqueFd(static_cast<int>(::syscall(SYS_perf_event_open, &attributes, /*pid=*/-1, /*cpu=*/0,
                                             /*group=*/-1, PERF_FLAG_FD_CLOEXEC)));
}

Finding AttachesToKprobe(const ProbeProgram& program, int loaded) {
  uint32_t type = KprobeEventType();
  if (type == 0 && ::access(kPerfSources, F_OK) != 0) {
    return Unknown(
        absl::StrCat(kPerfSources, " cannot be seen: sysfs is not mounted, or perf events are off"));
  }
  if (type == 0) return No(absl::StrCat(kPerfSources, " has no kprobe"));
  int error = ENOENT;
  for (const char* name : kQuietSyscalls) {
    std::string function = SyscallFunction(name);
    UniqueFd event = OpenKprobe(type, function);
    error = event.valid() ? 0 : errno;
    if (error == ENOENT) continue;  // this kernel has not got that system call
    if (error != 0) return Failed(absl::StrCat("put a kprobe on ", function), error, {}, kBpfTracing);
    std::string attempt = absl::StrCat("attach ", program.what, " to ", function);
    // EINVAL: the function may not be overridden.
    if (::ioctl(event.get(), PERF_EVENT_IOC_SET_BPF, loaded) < 0)
      return Failed(attempt, errno, {EINVAL}, kBpfTracing);
    return Yes(absl::StrCat(program.what, " was attached to ", function));
  }
  return Unknown(
      absl::StrCat("put a kprobe on ", SyscallFunction(kQuietSyscalls[0]), ": ", ErrorText(error)));
}

Finding ProbeWith(const ProbeProgram& program) {
  LoadResult loaded = LoadProgram(program);
  if (!loaded.ok()) return LoadFailed(program, loaded);
  return AttachesToKprobe(program, loaded.fd.get());
}

}  // namespace

Finding ProbeKprobe(ProbeContext&) {
  constexpr bpf_insn kCode[] = {Set(BPF_REG_0, 0), Exit()};
  return ProbeWith(
      {.what = "a kprobe program", .type = BPF_PROG_TYPE_KPROBE, .code = kCode, .needed = kBpfTracing});
}

Finding ProbeKprobeOverride(ProbeContext&) {
  // The clock since boot is never 0, so nothing is ever overridden.
  constexpr bpf_insn kCode[] = {Copy(BPF_REG_6, BPF_REG_1),
                                Call(BPF_FUNC_ktime_get_ns),
                                SkipUnlessEqual(BPF_REG_0, 0, 3),
                                Copy(BPF_REG_1, BPF_REG_6),
                                Set(BPF_REG_2, -EIO),
                                Call(BPF_FUNC_override_return),
                                Set(BPF_REG_0, 0),
                                Exit()};
  return ProbeWith({.what = "a kprobe program that calls bpf_override_return",
                    .type = BPF_PROG_TYPE_KPROBE,
                    .code = kCode,
                    .needed = kBpfTracing});
}

}  // namespace sabot::loader
