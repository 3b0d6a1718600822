// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls of a target that fail.
 *
 * What it does: each program below is met by a system call, at its entry or at a hook on its way; it looks up who is
 * calling what, and answers with the errno of the first rule that acts. One program serves a hook for all targets.
 * Attached to nothing until a live fault needs the hook; a call of nobody's target costs one look-up per kind of
 * scope that is in use.
 *
 * When it lets go: a rule acts only before its own end (CLOCK_BOOTTIME) and only while the lease is fresh; user space
 * renews the lease every second for three. Attachments are held by descriptors of the agent: they go when it goes.
 *
 * What if ... a task enters the target's namespaces from outside: it is in another cgroup, and of another pid
 * namespace, and not matched. ... a kernel thread or a worker of io_uring does the target's work: not matched either.
 * ... the agent itself lives in the target: it is left out.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi/syscall.h"
#include "bpf/lib/bits.h"
#include "bpf/lib/compare.h"
#include "bpf/lib/kernel_types.h"

/* A placeholder in the code of the programs that are copied for each hook: user space puts the hook's number there. */
#define HOOK_PLACEHOLDER 0x5ab0400c


/* Socket options longer than this are not copied for programs, which must then say so or the call fails. */
#define OPTION_LIMIT 4096

/* CLOCK_BOOTTIME until which rules may act at all; renewed by user space. */
volatile __u64 sabot_lease_ns;
/* Which kinds of scope any key has, and on which levels of the tree the cgroups are. */
volatile __u32 sabot_scopes;
volatile __u32 sabot_levels;
/* The agent's own thread group; 0: not known. */
volatile __u32 sabot_self;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct sabot_call_key);
	__type(value, struct sabot_call_rules);
} sabot_calls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sabot_call_rule);
} sabot_call_rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sabot_call_state);
} sabot_call_states SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sabot_call_counts);
} sabot_call_count SEC(".maps");

/* One call on its way through the rules. */
struct call {
	struct sabot_call_key key;
	const struct sabot_user_regs *regs; /* where its arguments are; NULL at hooks that cannot know them */
	__u64 now;                          /* CLOCK_BOOTTIME */
	__u64 argument[8];
};

static __always_inline __u32 accepted(const struct sabot_condition *condition, const struct call *call)
{
	__u64 value = call->argument[condition->argument & 7] & condition->mask;

	return sabot_compare(value, condition->value) & condition->accept;
}

static __always_inline bool fits(const struct sabot_call_rule *rule, struct call *call)
{
	struct sabot_user_regs regs;

	if (!rule->conditions)
		return true;
	if (!call->regs || bpf_probe_read_kernel(&regs, offsetof(struct sabot_user_regs, ip), call->regs))
		return false;
	if (call->key.call & SABOT_CALL_COMPAT) {
		call->argument[0] = (__u32)regs.bx;
		call->argument[1] = (__u32)regs.cx;
		call->argument[2] = (__u32)regs.dx;
		call->argument[3] = (__u32)regs.si;
		call->argument[4] = (__u32)regs.di;
		call->argument[5] = (__u32)regs.bp;
	} else {
		call->argument[0] = regs.di;
		call->argument[1] = regs.si;
		call->argument[2] = regs.dx;
		call->argument[3] = regs.r10;
		call->argument[4] = regs.r8;
		call->argument[5] = regs.r9;
	}
	return accepted(&rule->condition[0], call) && accepted(&rule->condition[1], call) &&
	       accepted(&rule->condition[2], call) && accepted(&rule->condition[3], call);
}

/* What the call shall return by this rule; 0: the rule does not act on it. */
static __noinline long ask_rule(__u32 index, struct call *call)
{
	struct sabot_call_counts *counts;
	struct sabot_call_state *state;
	struct sabot_call_rule *rule;

	rule = bpf_map_lookup_elem(&sabot_call_rules, &index);
	if (!rule || rule->end_ns <= call->now)
		return 0;
	counts = bpf_map_lookup_elem(&sabot_call_count, &index);
	state = bpf_map_lookup_elem(&sabot_call_states, &index);
	if (!counts || !state)
		return 0;
	counts->seen++;
	if (!fits(rule, call))
		return 0;
	counts->matched++;
	if (rule->skip && __sync_fetch_and_add(&state->matched, 1) < rule->skip)
		return 0;
	if (bpf_get_prandom_u32() >= rule->below)
		return 0;
	if (rule->times && __sync_fetch_and_add(&state->acted, 1) >= rule->times)
		return 0;
	counts->affected++;
	return rule->error;
}

static __noinline long ask_scope(struct call *call)
{
	struct sabot_call_rules *rules = bpf_map_lookup_elem(&sabot_calls, &call->key);
	long error = 0;
	__u32 i;

	if (!rules)
		return 0;
	for (i = 0; i < SABOT_CALL_RULES && !error; i++) {
		if (i >= rules->count)
			break;
		error = ask_rule(rules->rule[i], call);
	}
	return error;
}

static __always_inline __u64 container_of_task(struct task_struct *task)
{
	struct nsproxy *namespaces = task->nsproxy; /* NULL while it exits */
	struct pid_namespace *own = NULL;
	__u64 pid = 0; /* a plain number: 6.1 refuses to add to a pointer what was multiplied */
	__u64 entry;

	if (!namespaces)
		return 0;
	bpf_probe_read_kernel(&pid, sizeof(pid), &task->thread_pid);
	entry = pid + bpf_core_field_offset(struct pid, numbers) +
		BPF_CORE_READ((struct pid *)pid, level) * bpf_core_type_size(struct upid);
	bpf_probe_read_kernel(&own, sizeof(own), (void *)(entry + bpf_core_field_offset(struct upid, ns)));
	return (__u64)namespaces->mnt_ns->ns.inum << 32 | BPF_CORE_READ(own, ns.inum);
}

/* The errno, negative, that the call of the current task shall end with; 0: it goes on. */
static __always_inline long verdict(struct task_struct *task, __u32 hook, __u32 number,
				    const struct sabot_user_regs *regs)
{
	struct call call = {.key = {.hook = hook, .call = number}, .regs = regs};
	__u32 scopes = sabot_scopes, levels = sabot_levels, i;
	long error = 0;

	call.now = bpf_ktime_get_boot_ns();
	if (call.now >= sabot_lease_ns || task->flags & (SABOT_PF_KTHREAD | SABOT_PF_IO_WORKER))
		return 0;
	if ((__u32)task->tgid == sabot_self)
		return 0;
	if (scopes & SABOT_SCOPE_PROCESS) {
		call.key.scope = SABOT_SCOPE_PROCESS;
		call.key.id = (__u32)task->tgid;
		error = ask_scope(&call);
	}
	if (!error && scopes & SABOT_SCOPE_CONTAINER) {
		call.key.scope = SABOT_SCOPE_CONTAINER;
		call.key.id = container_of_task(task);
		error = ask_scope(&call);
	}
	if (!(scopes & SABOT_SCOPE_CGROUP))
		return error;
	call.key.scope = SABOT_SCOPE_CGROUP;
	for (i = 0; i < SABOT_CGROUP_LEVELS && levels && !error; i++) {
		call.key.id = bpf_get_current_ancestor_cgroup_id(sabot_lowest_bit(levels));
		levels &= levels - 1;
		if (call.key.id)
			error = ask_scope(&call);
	}
	return error;
}

static __always_inline __u32 hook_number(void)
{
	__u64 number;

	asm volatile("%0 = %1 ll" : "=r"(number) : "i"(HOOK_PLACEHOLDER));
	return number;
}

static __always_inline __u32 number_of(const struct sabot_user_regs *regs)
{
	__u64 number = ~0ull;

	bpf_probe_read_kernel(&number, sizeof(number), &regs->orig_ax);
	return (__u32)number & SABOT_CALL_ANY;
}

/* The cookie says whether the function is of the 32-bit table. */
SEC("kprobe")
int kprobe__syscall(struct sabot_user_regs *probe)
{
	const struct sabot_user_regs *regs = (void *)probe->di;
	__u32 number = number_of(regs) | (__u32)bpf_get_attach_cookie(probe);
	long error = verdict(bpf_get_current_task_btf(), SABOT_HOOK_ENTRY, number, regs);

	if (error)
		bpf_override_return((void *)probe, error);
	return 0;
}

/* The hook's number is SABOT_CALL_COMPAT for functions of the 32-bit table and 0 for the others. */
SEC("fmod_ret/__x64_sys_openat")
long fmod_ret__syscall(__u64 *ctx)
{
	const struct sabot_user_regs *regs = (void *)ctx[0];

	return verdict(bpf_get_current_task_btf(), SABOT_HOOK_ENTRY, number_of(regs) | hook_number(), regs);
}

/* Which system call leads here, and with which arguments, is told by what was saved at the kernel's entry. */
SEC("fmod_ret/security_file_open")
long fmod_ret__security(__u64 *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	const struct sabot_user_regs *regs = (void *)bpf_task_pt_regs(task);
	__u32 number;

	/* A file system that works on another one beneath it, as overlayfs does, with credentials of its own: the
	 * call was met already, above. */
	if (task->cred != task->real_cred)
		return 0;
	number = number_of(regs);
	if (task->thread_info.status & SABOT_TS_COMPAT)
		number |= SABOT_CALL_COMPAT;
	return verdict(task, hook_number(), number, regs);
}

static __always_inline int at_cgroup(enum sabot_hook hook)
{
	long error = verdict(bpf_get_current_task_btf(), hook, SABOT_CALL_ANY, NULL);

	if (!error)
		return 1;
	bpf_set_retval(error);
	return 0;
}

SEC("cgroup/connect4")
int cgroup__connect4(struct bpf_sock_addr *ctx)
{
	return at_cgroup(SABOT_HOOK_CONNECT);
}

SEC("cgroup/connect6")
int cgroup__connect6(struct bpf_sock_addr *ctx)
{
	return at_cgroup(SABOT_HOOK_CONNECT);
}

SEC("cgroup/bind4")
int cgroup__bind4(struct bpf_sock_addr *ctx)
{
	return at_cgroup(SABOT_HOOK_BIND);
}

SEC("cgroup/bind6")
int cgroup__bind6(struct bpf_sock_addr *ctx)
{
	return at_cgroup(SABOT_HOOK_BIND);
}

SEC("cgroup/sendmsg4")
int cgroup__sendmsg4(struct bpf_sock_addr *ctx)
{
	return at_cgroup(SABOT_HOOK_SENDMSG);
}

SEC("cgroup/sendmsg6")
int cgroup__sendmsg6(struct bpf_sock_addr *ctx)
{
	return at_cgroup(SABOT_HOOK_SENDMSG);
}

SEC("cgroup/getsockopt")
int cgroup__getsockopt(struct bpf_sockopt *ctx)
{
	if (ctx->optlen > OPTION_LIMIT)
		ctx->optlen = 0; /* what the kernel wrote stays as it is */
	return at_cgroup(SABOT_HOOK_GETSOCKOPT);
}

SEC("cgroup/setsockopt")
int cgroup__setsockopt(struct bpf_sockopt *ctx)
{
	if (ctx->optlen > OPTION_LIMIT)
		ctx->optlen = 0; /* what the caller gave is used as it is */
	return at_cgroup(SABOT_HOOK_SETSOCKOPT);
}

char LICENSE[] SEC("license") = "GPL";
