/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * What crosses between bpf/clock.bpf.c and user space.
 */
#ifndef SABOT_BPF_ABI_CLOCK_H_
#define SABOT_BPF_ABI_CLOCK_H_

#include <linux/types.h>

enum sabot_process_event_kind {
	SABOT_PROCESS_FORKED = 1,   /* `pid` is a new process, made by `parent` */
	SABOT_PROCESS_EXECUTED = 2, /* `pid` is another program now */
};

/* Process ids are those of the machine's first pid namespace. */
struct sabot_process_event {
	__u32 kind;
	__u32 pid;
	__u32 parent; /* 0 for SABOT_PROCESS_EXECUTED */
	__u32 reserved;
};

#endif /* SABOT_BPF_ABI_CLOCK_H_ */
