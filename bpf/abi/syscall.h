/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Structs that cross into the maps of bpf/syscall.bpf.c.
 *
 * A *scope* is whose tasks are meant; together with the place where a system call is met and its number it is the key
 * under which rules are found. Nothing is locked: user space fills a rule first and puts it under its keys last, and
 * the reverse at the end.
 */
#ifndef SABOT_BPF_ABI_SYSCALL_H
#define SABOT_BPF_ABI_SYSCALL_H

#include <linux/types.h>

/* What sabot_call_key.id means. Bits, so that a program sees at once which of them are in use. */
enum sabot_scope {
	SABOT_SCOPE_PROCESS = 1,   /* a thread group, by its id in the machine's first pid namespace */
	SABOT_SCOPE_CGROUP = 2,    /* a cgroup v2 by its id, and all below it */
	SABOT_SCOPE_CONTAINER = 4, /* inode of a mount namespace << 32 | inode of the task's own pid namespace */
};

/* Where a system call is met. Hooks of the security framework are numbered by user space from SABOT_HOOK_SECURITY. */
enum sabot_hook {
	SABOT_HOOK_ENTRY, /* the function of the system call itself */
	SABOT_HOOK_CONNECT,
	SABOT_HOOK_BIND,
	SABOT_HOOK_SENDMSG,
	SABOT_HOOK_GETSOCKOPT,
	SABOT_HOOK_SETSOCKOPT,
	SABOT_HOOK_SECURITY = 16,
};

/* Cgroups that keys name may be on so many different levels of the tree at a time. */
#define SABOT_CGROUP_LEVELS 8

/* In sabot_call_key.call: the number is of the 32-bit table. */
#define SABOT_CALL_COMPAT 0x80000000u

/* sabot_call_key.call of hooks that know only what is done and not by which system call. */
#define SABOT_CALL_ANY 0x7fffffffu

struct sabot_call_key {
	__u64 id;
	__u16 scope; /* enum sabot_scope */
	__u16 hook;  /* enum sabot_hook */
	__u32 call;  /* number of the system call, with SABOT_CALL_COMPAT, or SABOT_CALL_ANY */
};

#define SABOT_CALL_RULES 7

struct sabot_call_rules {
	__u32 count;
	__u32 rule[SABOT_CALL_RULES]; /* indices into the rules map; the first that acts decides */
};

/* sabot_condition.accept: what the argument may be of the value. */
#define SABOT_IS_LESS 1u
#define SABOT_IS_EQUAL 2u
#define SABOT_IS_GREATER 4u

/* (argument & mask) compared with value, both without a sign. All zero but `accept` = 7: always true. */
struct sabot_condition {
	__u64 mask;
	__u64 value;
	__u32 argument; /* 0 to 5 */
	__u32 accept;   /* SABOT_IS_* */
};

#define SABOT_CONDITIONS 4

struct sabot_call_rule {
	__u64 end_ns; /* CLOCK_BOOTTIME; the rule does nothing from then on */
	__u64 below;  /* chance in 2^-32: 0 never, 2^32 always */
	__u64 skip;   /* so many matching calls pass first */
	__u64 times;  /* then so many are hit at most; 0: no limit */
	__s64 error;  /* what the call returns: a negative errno */
	__u64 conditions; /* 0: the following are not looked at; otherwise all must hold */
	struct sabot_condition condition[SABOT_CONDITIONS];
};

/* What `skip` and `times` are measured by; shared by all CPUs. */
struct sabot_call_state {
	__u64 matched;
	__u64 acted;
};

struct sabot_call_counts {
	__u64 seen, matched, affected;
};

#ifdef __cplusplus
#define SABOT_SYSCALL_ASSERT static_assert
#else
#define SABOT_SYSCALL_ASSERT _Static_assert
#endif
SABOT_SYSCALL_ASSERT(sizeof(struct sabot_call_key) == 16, "");
SABOT_SYSCALL_ASSERT(sizeof(struct sabot_call_rules) == 32, "");
SABOT_SYSCALL_ASSERT(sizeof(struct sabot_condition) == 24, "");
SABOT_SYSCALL_ASSERT(sizeof(struct sabot_call_rule) == 144, "");

#endif
