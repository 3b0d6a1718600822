/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The kernel's structs, as far as we read them; libbpf finds the offsets in the kernel at hand.
 */
#ifndef SABOT_BPF_LIB_KERNEL_TYPES_H
#define SABOT_BPF_LIB_KERNEL_TYPES_H

#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct mnt_namespace {
	struct ns_common ns;
};

struct pid_namespace {
	struct ns_common ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct nsproxy {
	struct mnt_namespace *mnt_ns;
};

struct thread_info {
	__u32 status;
};

struct cred;

struct task_struct {
	struct thread_info thread_info;
	unsigned int flags;
	int pid;
	int tgid;
	struct nsproxy *nsproxy;
	struct pid *thread_pid;
	const struct cred *real_cred;
	const struct cred *cred;
};

#pragma clang attribute pop

#define SABOT_PF_IO_WORKER 0x00000010u
#define SABOT_PF_KTHREAD 0x00200000u
#define SABOT_TS_COMPAT 0x0002u /* thread_info.status: a 32-bit system call is under way */

/* What the x86-64 entry code saves of user space; the order is ABI (ptrace). */
struct sabot_user_regs {
	__u64 r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};

#endif
