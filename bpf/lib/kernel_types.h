/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The few fields of the kernel's structures that programs read. Where they are is found when a program is loaded.
 */
#ifndef SABOT_BPF_LIB_KERNEL_TYPES_H_
#define SABOT_BPF_LIB_KERNEL_TYPES_H_

struct task_struct {
	int pid;
	int tgid;
} __attribute__((preserve_access_index));

#endif /* SABOT_BPF_LIB_KERNEL_TYPES_H_ */
