// SPDX-License-Identifier: Apache-2.0
//
// Probes that need no more than loading a program, or a look into the kernel's BTF.
#include <cerrno>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "loader/bpf_insn.h"
#include "loader/probe_context.h"
#include "loader/probe_list.h"
#include "loader/probe_program.h"
#include "loader/probe_targets.h"

namespace sabot::loader {
namespace {

using namespace insn;

constexpr bpf_insn kReturnZero[] = {Set(BPF_REG_0, 0), Exit()};

}  // namespace

Finding ProbeBpf(ProbeContext&) {
  return Loads({.what = "a socket filter program", .type = BPF_PROG_TYPE_SOCKET_FILTER, .code = kReturnZero});
}

Finding ProbeBtf(ProbeContext& context) { return context.Btf(); }

// A whole program would need BTF of its own for the callback. With a context where the callback belongs, a
// verifier that knows the helper complains about that argument, and one that does not about the helper.
Finding ProbeBpfLoop(ProbeContext&) {
  constexpr bpf_insn kCode[] = {Copy(BPF_REG_2, BPF_REG_1),
                                Set(BPF_REG_1, 1),
                                Set(BPF_REG_3, 0),
                                Set(BPF_REG_4, 0),
                                Call(BPF_FUNC_loop),
                                Set(BPF_REG_0, 0),
                                Exit()};
  ProbeProgram program{.what = "a tc program that calls bpf_loop",
                       .type = BPF_PROG_TYPE_SCHED_CLS,
                       .code = kCode,
                       .needed = kBpfNetwork};
  LoadResult loaded = LoadProgram(program);
  if (absl::StrContains(loaded.log, "expected=func")) return Yes("the verifier knows bpf_loop");
  return LoadFailed(program, loaded);
}

Finding ProbeCopyFromUserTask(ProbeContext&) {
  constexpr bpf_insn kCode[] = {Store(BPF_REG_10, -8, 0),
                                Call(BPF_FUNC_get_current_task_btf),
                                Copy(BPF_REG_4, BPF_REG_0),
                                Copy(BPF_REG_1, BPF_REG_10),
                                Add(BPF_REG_1, -8),
                                Set(BPF_REG_2, 8),
                                Set(BPF_REG_3, 0),
                                Set(BPF_REG_5, 0),
                                Call(BPF_FUNC_copy_from_user_task),
                                Set(BPF_REG_0, 0),
                                Exit()};
  return Loads({.what = "a sleepable program that calls bpf_copy_from_user_task",
                .type = BPF_PROG_TYPE_SYSCALL,
                .code = kCode,
                .flags = BPF_F_SLEEPABLE,
                .needed = kBpfTracing});
}

namespace {

Finding LoadsUserAccess(const char* what, int32_t helper) {
  // Both helpers take (pointer, pointer, size), in opposite order of direction; the program is never run.
  bpf_insn code[] = {Store(BPF_REG_10, -8, 0), Copy(BPF_REG_1, BPF_REG_10),
                     Add(BPF_REG_1, -8),       Set(BPF_REG_2, 8),
                     Set(BPF_REG_3, 0),        Call(helper),
                     Set(BPF_REG_0, 0),        Exit()};
  if (helper == BPF_FUNC_probe_write_user) {
    code[1] = Set(BPF_REG_1, 0);
    code[2] = Copy(BPF_REG_2, BPF_REG_10);
    code[3] = Add(BPF_REG_2, -8);
    code[4] = Set(BPF_REG_3, 8);
  }
  return Loads({.what = what, .type = BPF_PROG_TYPE_TRACEPOINT, .code = code, .needed = kBpfTracing});
}

}  // namespace

// Under lockdown the verifier says that there is no such helper. Its sibling for reading is as old and is
// built with it, so where only the writing one is missing, it is refused and not absent.
Finding ProbeProbeWriteUser(ProbeContext&) {
  Finding write =
      LoadsUserAccess("a tracepoint program that calls bpf_probe_write_user", BPF_FUNC_probe_write_user);
  if (write.answer != Answer::kNo) return write;
  Finding read =
      LoadsUserAccess("a tracepoint program that calls bpf_probe_read_user", BPF_FUNC_probe_read_user);
  if (read.answer == Answer::kNo) return write;
  if (read.answer != Answer::kYes) return read;
  return {Answer::kDenied,
          absl::StrCat(write.reason, ", while bpf_probe_read_user is allowed: the kernel is locked down")};
}

Finding ProbeTaskWork(ProbeContext& context) {
  if (context.Btf().answer != Answer::kYes) return context.Btf();
  auto function = context.FirstInBtf({kTaskWorkFunction, kTaskWorkImplFunction});
  if (!function) return No(absl::StrCat("the kernel's BTF has no function ", kTaskWorkFunction));
  return Yes(absl::StrCat("the kernel's BTF has the function ", function->first));
}

Finding ProbeTaskFromPid(ProbeContext& context) {
  if (context.Btf().answer != Answer::kYes) return context.Btf();
  uint32_t find = context.BtfId(kTaskFromPidFunction);
  uint32_t release = context.BtfId(kTaskReleaseFunction);
  uint32_t exec = context.BtfId(kExecTracepoint);
  if (find == 0 || release == 0)
    return No(absl::StrCat("the kernel's BTF has no function ", kTaskFromPidFunction));
  const bpf_insn code[] = {Set(BPF_REG_1, 1),
                           CallKernel(find),
                           SkipIfEqual(BPF_REG_0, 0, 2),
                           Copy(BPF_REG_1, BPF_REG_0),
                           CallKernel(release),
                           Set(BPF_REG_0, 0),
                           Exit()};
  return Loads({.what = "a tp_btf program that calls bpf_task_from_pid",
                .type = BPF_PROG_TYPE_TRACING,
                .code = code,
                .attach_type = BPF_TRACE_RAW_TP,
                .btf_id = exec,
                .needed = kBpfTracing});
}

}  // namespace sabot::loader
