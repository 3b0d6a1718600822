/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Structs that cross into the maps of bpf/network.bpf.c.
 *
 * A *lane* is what one target has: up to 64 rules, each a bit. Programs are attached per device or cgroup; a tiny
 * entry program, made at run time, tells the shared bodies by skb->cb[0] which lane they serve. Nothing here is
 * locked: user space writes a rule and its peers first and switches its bit on last, and the reverse at the end.
 */
#ifndef SABOT_BPF_ABI_NETWORK_H
#define SABOT_BPF_ABI_NETWORK_H

#include <linux/types.h>

#define SABOT_LANE_RULES 64

/* What is to be done with a packet, and by which program: index into sabot_lane.duty. */
enum sabot_duty {
	SABOT_DROP_EGRESS,         /* drop at the device */
	SABOT_DROP_INGRESS,
	SABOT_DROP_CGROUP_EGRESS,  /* drop at the socket's cgroup; the sender gets EPERM */
	SABOT_DROP_CGROUP_INGRESS,
	SABOT_COPY_EGRESS,         /* send twice */
	SABOT_DELAY_EDT,           /* orphan and stamp for fq */
	SABOT_DELAY_PACER,         /* hand over to a tap device */
	SABOT_CLASSIFY_NETEM,      /* choose a class of our prio qdisc */
	SABOT_DUTIES,
};

/* Bodies that an entry program can jump to; index into the program arrays and into sabot_seen. */
enum sabot_body {
	SABOT_BODY_EGRESS,
	SABOT_BODY_INGRESS,
	/* Never entered from outside: the egress body goes on to these. */
	SABOT_BODY_COPY,
	SABOT_BODY_PACER,
	SABOT_BODY_EDT,
	SABOT_BODY_NETEM,
	SABOT_BODY_CGROUP_EGRESS,
	SABOT_BODY_CGROUP_INGRESS,
	SABOT_BODIES,
};

struct sabot_lane {
	__u64 duty[SABOT_DUTIES]; /* per duty, the rules that it carries out */
	__u64 all_peers;          /* rules that match whatever the address */
	__u64 hosts4, hosts6;     /* rules that have whole addresses among their peers */
	__u64 nets4, nets6;       /* rules that have shorter prefixes among their peers */
	__u64 cgroup_only;        /* 1: there are no device hooks, so the cgroup hooks count what is seen */
	__u32 root4, root6;       /* trees of the shorter prefixes */
	__u32 rule[SABOT_LANE_RULES]; /* bit -> index into the rules map */
};

/* Chances are in 2^-32: 0 never, 2^32 always. A correlation is the chance that a roll comes out as the one before it. */
struct sabot_rule {
	__u64 end_ns;        /* CLOCK_BOOTTIME; the rule does nothing from then on */
	__u64 delay_ns;
	__u64 jitter_ns;     /* delays are spread evenly over delay_ns +- jitter_ns; what would be below 0 is 0 */
	__u64 chance;        /* of a packet to be dropped, copied or corrupted */
	__u64 reorder;       /* chance of a packet not to be delayed */
	__u64 rate;          /* bytes a second; 0: no limit */
	__u64 peak_rate;     /* of a burst; 0: no limit */
	__u64 limit_bytes;   /* with a rate: what would wait behind this much is dropped */
	__u32 burst_bytes;   /* what may be sent at once after a pause */
	__u32 peak_burst_bytes;
	__u32 correlation;
	__u32 reorder_correlation;
	__u32 reorder_gap;   /* at most one packet in so many is not delayed; 1: any */
	__u32 ifindex;       /* 0: every device but loopback */
	__u16 ordinal;       /* SABOT_CLASSIFY_NETEM: 0 to SABOT_NETEM_RULES - 1 */
	__u16 silent;        /* 1: the sender is not told of a drop, as by a wire that loses the packet */
	__u32 unused;
};

/* What a rule remembers from packet to packet. Written by all CPUs without locks, but for the times. */
struct sabot_dice {
	__u64 next_ns;       /* CLOCK_MONOTONIC; when all that was sent has passed at the rule's rate */
	__u64 peak_next_ns;  /* the same at its peak rate */
	__u32 last, last_reorder; /* rolls */
	__u32 since_reorder; /* packets */
	__u32 unused;
};

struct sabot_counters {
	__u64 matched, affected;
};

struct sabot_seen {
	__u64 packets[SABOT_BODIES];
};

/* Keys of the maps of peers that are whole addresses. The value is the mask of rules, those of shorter prefixes that
 * cover this one included. */
struct sabot_host4 {
	__u32 lane;
	__u8 address[4];
};

struct sabot_host6 {
	__u32 lane;
	__u8 address[16];
};

/* Shorter prefixes are in a tree per lane and family, of cells that are nodes or leaves. A reference is 0 (nothing
 * here matches), a leaf, or a node with the position of the four bits that choose among its children: bits before them
 * are not looked at on the way down. The leaf that an address ends at has every prefix that can match it: its own and
 * all that cover that one, longest first, `next` going on where there are more. IPv4 addresses are the upper half of
 * `high`. */
#define SABOT_NODE_CHILDREN 16
#define SABOT_LEAF_PREFIXES 4
#define SABOT_REF_LEAF (1u << 31)
#define SABOT_REF_POSITION_SHIFT 24 /* in units of four bits, 0 to 31 */
#define SABOT_REF_CELL ((1u << SABOT_REF_POSITION_SHIFT) - 1)

struct sabot_node {
	__u32 child[SABOT_NODE_CHILDREN];
};

struct sabot_leaf {
	__u64 high, low;
	__u64 rules[SABOT_LEAF_PREFIXES];
	__u8 length[SABOT_LEAF_PREFIXES];
	__u32 count; /* 1 to SABOT_LEAF_PREFIXES */
	__u32 next;  /* a leaf, or 0 */
	__u32 unused;
};

struct sabot_cell {
	union {
		struct sabot_node node;
		struct sabot_leaf leaf;
	};
};

struct sabot_device {
	__u32 lane;
	__u32 ifindex;
};

struct sabot_pacer {
	__u32 tap_ifindex;
	__u32 heartbeat; /* index into the heartbeats map */
};

/* The prio qdisc of the netem rung: band 0 passes, band N delays by the subset N of its up to 4 rules. */
#define SABOT_NETEM_RULES 4
#define SABOT_PRIO_HANDLE 0x5ab00000u

#ifdef __cplusplus
#define SABOT_STATIC_ASSERT static_assert
#else
#define SABOT_STATIC_ASSERT _Static_assert
#endif
SABOT_STATIC_ASSERT(sizeof(struct sabot_lane) == 376, "");
SABOT_STATIC_ASSERT(sizeof(struct sabot_rule) == 96, "");
SABOT_STATIC_ASSERT(sizeof(struct sabot_dice) == 32, "");
SABOT_STATIC_ASSERT(sizeof(struct sabot_counters) == 16, "");
SABOT_STATIC_ASSERT(sizeof(struct sabot_seen) == 64, "");
SABOT_STATIC_ASSERT(sizeof(struct sabot_cell) == 64, "");

#endif
