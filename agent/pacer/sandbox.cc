// SPDX-License-Identifier: Apache-2.0
#include "agent/pacer/sandbox.h"

#include <linux/capability.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "loader/status.h"

namespace sabot::pacer {
namespace {

constexpr int kAllowed[] = {
    // The loop.
    SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl),
    SCMP_SYS(timerfd_settime), SCMP_SYS(recvfrom), SCMP_SYS(sendto), SCMP_SYS(clock_gettime),
    SCMP_SYS(restart_syscall),
    // Memory: the frame memory is trimmed, the queue grows.
    SCMP_SYS(madvise), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(brk), SCMP_SYS(futex),
    // Last words, and the way out.
    SCMP_SYS(write), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(close), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigreturn), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(tgkill),
    SCMP_SYS(exit), SCMP_SYS(exit_group)};

using Filter = std::unique_ptr<void, void (*)(scmp_filter_ctx)>;

// mmap, but never of anything that could be run.
int AllowDataMappings(scmp_filter_ctx filter) {
  return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                          SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

int AllowOwnScheduling(scmp_filter_ctx filter) {
  return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(sched_setscheduler), 1, SCMP_A0(SCMP_CMP_EQ, 0));
}

absl::Status LoadFilter() {
  Filter filter(seccomp_init(SCMP_ACT_KILL_PROCESS), seccomp_release);
  if (!filter) return absl::ResourceExhaustedError("make a seccomp filter");
  int error = 0;
  for (int call : kAllowed)
    if (error == 0) error = seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0);
  if (error == 0) error = AllowDataMappings(filter.get());
  if (error == 0) error = AllowOwnScheduling(filter.get());
  if (error == 0) error = seccomp_load(filter.get());
  return error == 0 ? absl::OkStatus() : ErrnoStatus(-error, "load the pacer's seccomp filter");
}

absl::Status DropCapabilities(bool keep_scheduling) {
  __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct kept[_LINUX_CAPABILITY_U32S_3] = {};
  if (keep_scheduling) kept[0].effective = kept[0].permitted = 1u << CAP_SYS_NICE;
  if (syscall(SYS_capset, &header, kept) != 0) return ErrnoStatus(errno, "drop capabilities");
  return absl::OkStatus();
}

}  // namespace

absl::Status EnterSandbox(bool keep_scheduling) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return ErrnoStatus(errno, "set no_new_privs");
  SABOT_RETURN_IF_ERROR(DropCapabilities(keep_scheduling));
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return ErrnoStatus(errno, "make the pacer undumpable");
  return LoadFilter();
}

}  // namespace sabot::pacer
