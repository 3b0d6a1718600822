// SPDX-License-Identifier: Apache-2.0
//
// Probes of programs that attach to the kernel's functions by BTF. What they attach to is in probe_targets.h.
#include <bpf/bpf.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "loader/bpf_insn.h"
#include "loader/probe_context.h"
#include "loader/probe_list.h"
#include "loader/probe_program.h"
#include "loader/probe_targets.h"

namespace sabot::loader {
namespace {

using namespace insn;

// For fmod_ret and lsm: go on with the function.
constexpr bpf_insn kReturnZero[] = {Set(BPF_REG_0, 0), Exit()};

// A tracing program of one of the kinds that differ by attach type only.
ProbeProgram Tracing(const char* what, int attach_type, uint32_t btf_id) {
  return {.what = what,
          .type = BPF_PROG_TYPE_TRACING,
          .code = kReturnZero,
          .attach_type = attach_type,
          .btf_id = btf_id,
          .needed = kBpfTracing};
}

Finding NoSuchTarget(const std::string& name) { return No(absl::StrCat("the kernel's BTF has no ", name)); }

Finding TracesSyscall(ProbeContext& context, const char* what, int attach_type) {
  if (context.Btf().answer != Answer::kYes) return context.Btf();
  for (const char* name : kQuietSyscalls) {
    std::string function = SyscallFunction(name);
    uint32_t id = context.BtfId(function);
    if (id != 0) return LoadsAndAttaches(Tracing(what, attach_type, id), function);
  }
  return Unknown(absl::StrCat("the kernel's BTF has none of the system calls to try it on, as ",
                              SyscallFunction(kQuietSyscalls[0])));
}

Finding TracesTarget(ProbeContext& context, const char* what, int attach_type, const std::string& target) {
  if (context.Btf().answer != Answer::kYes) return context.Btf();
  uint32_t id = context.BtfId(target);
  if (id == 0) return NoSuchTarget(target);
  return LoadsAndAttaches(Tracing(what, attach_type, id), target);
}

void CallCapget() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[2] = {};
  ::syscall(SYS_capget, &header, data);
}

// Attaches the lsm program, calls what it hooks, and sees whether it ran: it counts in `map`.
Finding LsmProgramRuns(const ProbeProgram& program, int map) {
  LoadResult loaded = LoadProgram(program);
  if (!loaded.ok()) return LoadFailed(program, loaded);
  UniqueFd link(::bpf_raw_tracepoint_open(nullptr, loaded.fd.get()));
  if (!link.valid()) {
    return Failed(absl::StrCat("attach an lsm program to ", kHarmlessLsmHook), errno,
                  {524, EOPNOTSUPP, EINVAL}, program.needed);
  }
  CallCapget();
  uint32_t key = 0;
  uint64_t ran = 0;
  if (::bpf_map_lookup_elem(map, &key, &ran) < 0) return Failed("read a map", errno, {}, kBpf);
  if (ran != 0) return Yes("an lsm program was attached to the hook of capget and ran");
  return No(
      "an lsm program was attached but is not called: \"bpf\" is not among the active security modules (lsm= "
      "at boot)");
}

}  // namespace

Finding ProbeFentry(ProbeContext& context) {
  return TracesSyscall(context, "an fentry program", BPF_TRACE_FENTRY);
}

Finding ProbeFmodRetSyscall(ProbeContext& context) {
  return TracesSyscall(context, "an fmod_ret program for a system call", BPF_MODIFY_RETURN);
}

Finding ProbeFmodRetSecurity(ProbeContext& context) {
  return TracesTarget(context, "an fmod_ret program for a security hook", BPF_MODIFY_RETURN,
                      kQuietSecurityHook);
}

Finding ProbeTpBtf(ProbeContext& context) {
  return TracesTarget(context, "a tp_btf program", BPF_TRACE_RAW_TP, kExecTracepoint);
}

Finding ProbeBpfLsm(ProbeContext& context) {
  if (context.Btf().answer != Answer::kYes) return context.Btf();
  uint32_t id = context.BtfId(kHarmlessLsmHook);
  if (id == 0) return NoSuchTarget(absl::StrCat(kHarmlessLsmHook, ": it was built without CONFIG_BPF_LSM"));
  UniqueFd map(
      ::bpf_map_create(BPF_MAP_TYPE_ARRAY, "sabot_probe", sizeof(uint32_t), sizeof(uint64_t), 1, nullptr));
  if (!map.valid()) return Failed("create an array map", errno, {}, kBpf);
  const bpf_insn code[] = {Store(BPF_REG_10, -8, 0),
                           Copy(BPF_REG_2, BPF_REG_10),
                           Add(BPF_REG_2, -8),
                           SetMap(BPF_REG_1, map.get()),
                           SetMapSecondHalf(),
                           Call(BPF_FUNC_map_lookup_elem),
                           SkipIfEqual(BPF_REG_0, 0, 1),
                           Store(BPF_REG_0, 0, 1),
                           Set(BPF_REG_0, 0),
                           Exit()};
  return LsmProgramRuns({.what = "an lsm program",
                         .type = BPF_PROG_TYPE_LSM,
                         .code = code,
                         .attach_type = BPF_LSM_MAC,
                         .btf_id = id,
                         .needed = kBpfTracing},
                        map.get());
}

Finding ProbeTaskFileIter(ProbeContext& context) {
  if (context.Btf().answer != Answer::kYes) return context.Btf();
  uint32_t id = context.BtfId(kTaskFileIterator);
  if (id == 0) return NoSuchTarget(kTaskFileIterator);
  ProbeProgram program = Tracing("an iter/task_file program", BPF_TRACE_ITER, id);
  LoadResult loaded = LoadProgram(program);
  if (!loaded.ok()) return LoadFailed(program, loaded);
  UniqueFd link(::bpf_link_create(loaded.fd.get(), 0, BPF_TRACE_ITER, nullptr));
  if (!link.valid()) return Failed("create an iterator over open files", errno, {EINVAL}, kBpfTracing);
  return Yes("an iterator over open files was made");
}

// Loading is enough: which functions it may be called from is decided then.
Finding ProbeDPath(ProbeContext& context) {
  if (context.Btf().answer != Answer::kYes) return context.Btf();
  uint32_t id = context.BtfId(kPathFunction);
  if (id == 0) return NoSuchTarget(kPathFunction);
  constexpr bpf_insn kCode[] = {Store(BPF_REG_10, -8, 0),    Load(BPF_REG_1, BPF_REG_1, 0),
                                Copy(BPF_REG_2, BPF_REG_10), Add(BPF_REG_2, -8),
                                Set(BPF_REG_3, 8),           Call(BPF_FUNC_d_path),
                                Set(BPF_REG_0, 0),           Exit()};
  ProbeProgram program = Tracing("an fentry program that calls bpf_d_path", BPF_TRACE_FENTRY, id);
  program.code = kCode;
  return Loads(program);
}

}  // namespace sabot::loader
