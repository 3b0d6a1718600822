// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clock faults: tells user space of the processes that a target makes, and of the programs that they execute, so that
 * the clock's shim is put into them. The skew itself is not made here.
 *
 * What it does: a process whose parent is tracked is tracked, too, before it runs for the first time. Another one that
 * executes a program inside one of the known control groups is reported. All other processes of the machine pay for
 * one look-up in a hash at fork and, at exec, for one more per level of their control group.
 *
 * When it lets go: with the descriptors of its links, when the agent closes them or dies.
 *
 * What if ... the ring is full: the event is counted as lost, and user space looks through all processes again. ... the
 * hash of tracked processes is full: likewise.
 */
#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/abi/clock.h"
#include "bpf/lib/kernel_types.h"

/* Deeper groups than this are found by user space's regular look only. */
#define MAX_LEVEL 16

volatile __u32 sabot_groups_used; /* entries of sabot_groups; 0: the groups of processes are not looked at */
volatile __u64 sabot_lost;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, __u8);
} sabot_tracked SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u8);
} sabot_groups SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} sabot_events SEC(".maps");

static void lost(void)
{
	__sync_fetch_and_add(&sabot_lost, 1);
}

static void tell(__u32 kind, __u32 pid, __u32 parent)
{
	struct sabot_process_event *event = bpf_ringbuf_reserve(&sabot_events, sizeof(*event), 0);

	if (!event) {
		lost();
		return;
	}
	event->kind = kind;
	event->pid = pid;
	event->parent = parent;
	event->reserved = 0;
	bpf_ringbuf_submit(event, 0);
}

static bool in_known_group(void)
{
	int level;

	for (level = 1; level < MAX_LEVEL; level++) {
		__u64 group = bpf_get_current_ancestor_cgroup_id(level);

		if (!group)
			return false;
		if (bpf_map_lookup_elem(&sabot_groups, &group))
			return true;
	}
	return false;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(tp_btf__sched_process_fork, struct task_struct *parent, struct task_struct *child)
{
	__u32 from = parent->tgid;
	__u32 pid = child->tgid;
	__u8 one = 1;

	if (pid == from || !bpf_map_lookup_elem(&sabot_tracked, &from))
		return 0;
	if (bpf_map_update_elem(&sabot_tracked, &pid, &one, BPF_ANY))
		lost();
	tell(SABOT_PROCESS_FORKED, pid, from);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(tp_btf__sched_process_exec, struct task_struct *task)
{
	__u32 pid = task->tgid;

	if (bpf_map_lookup_elem(&sabot_tracked, &pid) || (sabot_groups_used && in_known_group()))
		tell(SABOT_PROCESS_EXECUTED, pid, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
