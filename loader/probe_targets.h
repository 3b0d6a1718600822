// SPDX-License-Identifier: Apache-2.0
//
// What tracing probes attach to. Each is attached for milliseconds, with a program that lets the call go on,
// to a function that hardly anybody calls.
#ifndef SABOT_LOADER_PROBE_TARGETS_H_
#define SABOT_LOADER_PROBE_TARGETS_H_

namespace sabot::loader {

// System calls without their architecture's prefix. All of them may be given a false result
// (ALLOW_ERROR_INJECTION).
inline constexpr const char* kQuietSyscalls[] = {"ustat", "sysfs", "pivot_root"};
// Hooks of the security framework; they exist as functions only if CONFIG_SECURITY is on.
inline constexpr char kQuietSecurityHook[] = "security_settime64";
// A hook that any process can make run by itself, without an effect: by capget(2).
inline constexpr char kHarmlessLsmHook[] = "bpf_lsm_capget";
// The tracepoint that the followers of processes use anyway.
inline constexpr char kExecTracepoint[] = "btf_trace_sched_process_exec";
inline constexpr char kTaskFileIterator[] = "bpf_iter_task_file";
// bpf_d_path is allowed here, and the first argument is the path.
inline constexpr char kPathFunction[] = "vfs_truncate";
inline constexpr char kTaskFromPidFunction[] = "bpf_task_from_pid";
inline constexpr char kTaskReleaseFunction[] = "bpf_task_release";
// 6.18 has the second name.
inline constexpr char kTaskWorkFunction[] = "bpf_task_work_schedule_resume";
inline constexpr char kTaskWorkImplFunction[] = "bpf_task_work_schedule_resume_impl";

// All of the above that are looked up in the kernel's BTF, beside the system calls.
inline constexpr const char* kBtfNames[] = {
    kQuietSecurityHook, kHarmlessLsmHook,     kExecTracepoint,      kTaskFileIterator,    kPathFunction,
    kTaskWorkFunction,  kTaskFromPidFunction, kTaskReleaseFunction, kTaskWorkImplFunction};

}  // namespace sabot::loader

#endif  // SABOT_LOADER_PROBE_TARGETS_H_
