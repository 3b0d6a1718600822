// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network faults: loss, copies, partition, delay and narrowness of the network, to the packets of a target.
 *
 * What it does: each body below looks the packet's far address up among the peers of its lane, and carries out the
 * rules that fit. A packet that no rule fits costs one array look-up, one counter and at most one look-up in a hash
 * and one in a tree of prefixes.
 *
 * When it lets go: a rule acts only before its own end (CLOCK_BOOTTIME) and only while the lease is fresh; user
 * space renews the lease every second for three. The entry programs reach the bodies through a program array that
 * the kernel empties when the agent is gone, so a dead agent's hooks pass everything at once.
 *
 * What if ... a peer set is being changed: the rule's bit goes on after the peers are there and off before they go.
 * ... the pacer's helper hangs: its heartbeat grows old and packets pass undelayed. ... a packet cannot be cloned or
 * grown: it passes undelayed and is counted as matched but not affected.
 *
 * Packets that are neither IPv4 nor IPv6 (ARP above all) match no rule.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <stdbool.h>
#include <stddef.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi/network.h"
#include "bpf/abi/pacer.h"
#include "bpf/lib/bits.h"
#include "bpf/lib/dice.h"

#define PASS (-1) /* TC_ACT_UNSPEC and TCX_NEXT: whoever comes next decides */
#define LOOPBACK_IFINDEX 1

/* A device that cannot be: a packet redirected there ends as if it had been sent, whereas TC_ACT_SHOT tells the
 * sender (TCP retransmits at once, ping tries again), which a lossy wire cannot. */
#define NOWHERE 0

/* The most that a look-up among prefixes can take: 32 times four bits, and 129 lengths around one address. */
#define MAX_NODES 32
#define MAX_LEAVES 33

/* The most that one packet becomes beside itself. */
#define MAX_COPIES 4
/* After so many tries another CPU's packets have gone first, and the packet is taken as the last of these. */
#define MAX_RACES 8

#define DADDR4 16
#define SADDR4 12
#define DADDR6 24
#define SADDR6 8

/* CLOCK_BOOTTIME until which rules may act at all; renewed by user space. */
volatile __u64 sabot_lease_ns;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sabot_lane);
} sabot_lanes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sabot_rule);
} sabot_rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sabot_dice);
} sabot_dices SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sabot_counters);
} sabot_counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sabot_seen);
} sabot_seens SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct sabot_host4);
	__type(value, __u64);
} sabot_hosts4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct sabot_host6);
	__type(value, __u64);
} sabot_hosts6 SEC(".maps");

/* The cells of all trees, in a map that user space replaces by a larger one when it is full. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_ARRAY);
		__uint(map_flags, BPF_F_INNER_MAP | BPF_F_MMAPABLE);
		__uint(max_entries, 1);
		__uint(key_size, sizeof(__u32));
		__uint(value_size, sizeof(struct sabot_cell));
	});
} sabot_trees SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, struct sabot_device);
	__type(value, struct sabot_pacer);
} sabot_pacers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u64);
} sabot_heartbeats SEC(".maps");

/* What a clone that is on its way through the same device's egress again is. Its pass happens inside the call that
 * makes it, so there is one at a time on a CPU. */
struct clone {
	__u64 release_ns; /* not 0: a delayed packet, to be stamped with this */
	__u64 copy;       /* 1: the second of a packet that is sent twice */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct clone);
} sabot_clone SEC(".maps");

/* Several, since one program array holds programs of one type and attach type. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, SABOT_BODIES);
	__type(key, __u32);
	__type(value, __u32);
} sabot_tc SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, SABOT_BODIES);
	__type(key, __u32);
	__type(value, __u32);
} sabot_cg_out SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, SABOT_BODIES);
	__type(key, __u32);
	__type(value, __u32);
} sabot_cg_in SEC(".maps");

/* One packet on its way through the rules of its lane. */
struct walk {
	struct sabot_lane *lane;
	__u64 bits;     /* rules still to be looked at */
	__u64 now;      /* CLOCK_BOOTTIME */
	__u64 delay_ns; /* sum over the rules that fit */
	__u64 hits;     /* the rules that act */
	__u32 ifindex;
	__u32 bytes;    /* on the wire */
	__u32 copies;
	__u32 subset;   /* ordinals of the rules that act, as bits */
	bool drop;
	bool silent;
};

static __always_inline struct sabot_lane *lane_of(struct __sk_buff *skb, __u32 *index)
{
	*index = skb->cb[0];
	return bpf_map_lookup_elem(&sabot_lanes, index);
}

static __always_inline void count_seen(__u32 lane, enum sabot_body body)
{
	struct sabot_seen *seen = bpf_map_lookup_elem(&sabot_seens, &lane);

	if (seen)
		seen->packets[body]++;
}

static __always_inline bool covered(__u64 high, __u64 low, __u32 length)
{
	if (length == 0)
		return true;
	if (length <= 64)
		return high >> (64 - length) == 0;
	return high == 0 && low >> (128 - length) == 0;
}

/* The rules of the longest prefix in the tree that covers the address. Global, so that the verifier walks its loops
 * once and not at every call. */
__noinline __u64 sabot_tree_rules(__u32 ref, __u64 high, __u64 low)
{
	__u32 slot = 0, index, i, j;
	struct sabot_cell *cell;
	void *cells = bpf_map_lookup_elem(&sabot_trees, &slot);

	if (!cells)
		return 0;
	for (i = 0; i < MAX_NODES && ref && !(ref & SABOT_REF_LEAF); i++) {
		__u32 position = ref >> SABOT_REF_POSITION_SHIFT;
		__u64 bits = position < 16 ? high >> (60 - 4 * position) : low >> (124 - 4 * position);

		index = ref & SABOT_REF_CELL;
		cell = bpf_map_lookup_elem(cells, &index);
		if (!cell)
			return 0;
		ref = cell->node.child[bits & (SABOT_NODE_CHILDREN - 1)];
	}
	for (i = 0; i < MAX_LEAVES && ref & SABOT_REF_LEAF; i++) {
		index = ref & SABOT_REF_CELL;
		cell = bpf_map_lookup_elem(cells, &index);
		if (!cell)
			return 0;
		for (j = 0; j < SABOT_LEAF_PREFIXES; j++) {
			if (j == cell->leaf.count)
				return 0;
			if (covered(high ^ cell->leaf.high, low ^ cell->leaf.low, cell->leaf.length[j]))
				return cell->leaf.rules[j];
		}
		ref = cell->leaf.next;
	}
	return 0;
}

static __always_inline __u64 peer_rules4(struct __sk_buff *skb, struct sabot_lane *lane, __u32 index, __u64 mask,
					 __u32 offset)
{
	struct sabot_host4 host = {.lane = index};
	__u64 *rules = NULL;
	__be32 address;

	if (bpf_skb_load_bytes_relative(skb, offset, host.address, sizeof(host.address), BPF_HDR_START_NET))
		return 0;
	if (mask & lane->hosts4)
		rules = bpf_map_lookup_elem(&sabot_hosts4, &host);
	if (rules)
		return *rules;
	if (!(mask & lane->nets4))
		return 0;
	__builtin_memcpy(&address, host.address, sizeof(address));
	return sabot_tree_rules(lane->root4, (__u64)bpf_ntohl(address) << 32, 0);
}

static __always_inline __u64 peer_rules6(struct __sk_buff *skb, struct sabot_lane *lane, __u32 index, __u64 mask,
					 __u32 offset)
{
	struct sabot_host6 host = {.lane = index};
	__u64 *rules = NULL;
	__be64 words[2];

	if (bpf_skb_load_bytes_relative(skb, offset, host.address, sizeof(host.address), BPF_HDR_START_NET))
		return 0;
	if (mask & lane->hosts6)
		rules = bpf_map_lookup_elem(&sabot_hosts6, &host);
	if (rules)
		return *rules;
	if (!(mask & lane->nets6))
		return 0;
	__builtin_memcpy(words, host.address, sizeof(words));
	return sabot_tree_rules(lane->root6, bpf_be64_to_cpu(words[0]), bpf_be64_to_cpu(words[1]));
}

/* Of the rules in `mask`, those whose peers include the packet's far end. */
static __always_inline __u64 fitting(struct __sk_buff *skb, struct sabot_lane *lane, __u32 index, __u64 mask,
				     bool egress)
{
	__u64 rules = lane->all_peers;

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		if (mask & (lane->hosts4 | lane->nets4))
			rules |= peer_rules4(skb, lane, index, mask, egress ? DADDR4 : SADDR4);
	} else if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		if (mask & (lane->hosts6 | lane->nets6))
			rules |= peer_rules6(skb, lane, index, mask, egress ? DADDR6 : SADDR6);
	} else {
		return 0;
	}
	return rules & mask;
}

/* Takes the next rule off the walk. NULL when it does not act on this packet after all. */
static __always_inline struct sabot_rule *next_rule(struct walk *walk, __u32 *bit, struct sabot_counters **counts,
						    struct sabot_dice **dice)
{
	struct sabot_rule *rule;
	__u32 index;

	*bit = sabot_lowest_bit(walk->bits) & (SABOT_LANE_RULES - 1);
	walk->bits &= walk->bits - 1;
	index = walk->lane->rule[*bit];
	rule = bpf_map_lookup_elem(&sabot_rules, &index);
	if (!rule || rule->end_ns <= walk->now)
		return NULL;
	if (rule->ifindex ? rule->ifindex != walk->ifindex : walk->ifindex == LOOPBACK_IFINDEX)
		return NULL;
	*counts = bpf_map_lookup_elem(&sabot_counts, &index);
	*dice = bpf_map_lookup_elem(&sabot_dices, &index);
	if (!*counts || !*dice)
		return NULL;
	(*counts)->matched++;
	return rule;
}

static __always_inline __u32 roll(__u32 correlation, __u32 *last)
{
	return sabot_roll(correlation, correlation ? bpf_get_prandom_u32() : 0, bpf_get_prandom_u32(), last);
}

/* The next rule, if its dice say so. */
static __always_inline struct sabot_rule *next_hit(struct walk *walk, __u32 *bit, struct sabot_counters **counts)
{
	struct sabot_dice *dice;
	struct sabot_rule *rule = next_rule(walk, bit, counts, &dice);

	return rule && roll(rule->correlation, &dice->last) < rule->chance ? rule : NULL;
}

static long roll_drop(__u32 i, struct walk *walk)
{
	struct sabot_counters *counts;
	struct sabot_rule *rule;
	__u32 bit;

	if (!walk->bits)
		return 1;
	rule = next_hit(walk, &bit, &counts);
	if (!rule)
		return 0;
	counts->affected++;
	walk->drop = true;
	walk->silent = rule->silent;
	return 1;
}

static long roll_copy(__u32 i, struct walk *walk)
{
	struct sabot_counters *counts;
	struct sabot_rule *rule;
	__u32 bit;

	if (!walk->bits)
		return 1;
	rule = next_hit(walk, &bit, &counts);
	if (!rule)
		return 0;
	walk->hits |= 1ull << bit;
	walk->copies++;
	return 0;
}

/* Whether this packet overtakes those that are delayed. */
static __always_inline bool reordered(struct sabot_rule *rule, struct sabot_dice *dice)
{
	if (!rule->reorder)
		return false;
	if (dice->since_reorder + 1 < rule->reorder_gap ||
	    roll(rule->reorder_correlation, &dice->last_reorder) >= rule->reorder) {
		dice->since_reorder++;
		return false;
	}
	dice->since_reorder = 0;
	return true;
}

/*
 * A token bucket, kept as the time when all that was sent has passed at the rate. Adds the packet and returns how long
 * it has to wait, or `limit_ns` + 1, with the packet not added, if it would have to wait longer than `limit_ns`.
 */
static __always_inline __u64 bucket_wait(__u64 *next_ns, __u64 now, __u64 cost_ns, __u64 burst_ns, __u64 limit_ns)
{
	__u64 seen, begin, wait = 0;
	__u32 i;

	for (i = 0; i < MAX_RACES; i++) {
		seen = *(volatile __u64 *)next_ns;
		begin = (seen > now ? seen : now) + cost_ns;
		wait = begin - now > burst_ns ? begin - now - burst_ns : 0;
		if (wait > limit_ns)
			return limit_ns + 1;
		if (__sync_val_compare_and_swap(next_ns, seen, begin) == seen)
			break;
	}
	return wait;
}

/* How long the packet has to wait for the rule's rate; the walk's packet is dropped if too much waits already. */
static __always_inline __u64 rate_wait(struct sabot_rule *rule, struct sabot_dice *dice, struct walk *walk)
{
	__u64 now = bpf_ktime_get_ns(), limit_ns, wait, peak_wait;

	limit_ns = sabot_time_of(rule->limit_bytes, rule->rate);
	wait = bucket_wait(&dice->next_ns, now, sabot_time_of(walk->bytes, rule->rate),
			   sabot_time_of(rule->burst_bytes, rule->rate), limit_ns);
	if (wait > limit_ns) {
		walk->drop = true;
		return 0;
	}
	if (!rule->peak_rate)
		return wait;
	peak_wait = bucket_wait(&dice->peak_next_ns, now, sabot_time_of(walk->bytes, rule->peak_rate),
				sabot_time_of(rule->peak_burst_bytes, rule->peak_rate), ~0ull - 1);
	return wait > peak_wait ? wait : peak_wait;
}

static long add_delay(__u32 i, struct walk *walk)
{
	struct sabot_counters *counts;
	struct sabot_dice *dice;
	struct sabot_rule *rule;
	__u32 bit;

	if (!walk->bits || walk->drop)
		return 1;
	rule = next_rule(walk, &bit, &counts, &dice);
	if (!rule || reordered(rule, dice))
		return 0;
	if (rule->jitter_ns)
		walk->delay_ns += sabot_spread(rule->delay_ns, rule->jitter_ns, roll(rule->correlation, &dice->last));
	else
		walk->delay_ns += rule->delay_ns;
	if (rule->rate)
		walk->delay_ns += rate_wait(rule, dice, walk);
	walk->hits |= 1ull << bit;
	return 0;
}

/* For netem, which delays and loses by itself; what it shall corrupt is rolled here. */
static long classify(__u32 i, struct walk *walk)
{
	struct sabot_counters *counts;
	struct sabot_rule *rule;
	__u32 bit;

	if (!walk->bits)
		return 1;
	rule = next_hit(walk, &bit, &counts);
	if (!rule)
		return 0;
	walk->hits |= 1ull << bit;
	walk->subset |= 1u << (rule->ordinal & (SABOT_NETEM_RULES - 1));
	return 0;
}

static long count_affected(__u32 i, struct walk *walk)
{
	struct sabot_counters *counts;
	__u32 bit, index;

	if (!walk->hits)
		return 1;
	bit = sabot_lowest_bit(walk->hits) & (SABOT_LANE_RULES - 1);
	walk->hits &= walk->hits - 1;
	index = walk->lane->rule[bit];
	counts = bpf_map_lookup_elem(&sabot_counts, &index);
	if (counts)
		counts->affected++;
	return 0;
}

static __always_inline bool begin_walk(struct walk *walk, __u64 bits)
{
	if (!bits)
		return false;
	walk->bits = bits;
	if (!walk->now)
		walk->now = bpf_ktime_get_boot_ns();
	return walk->now < sabot_lease_ns;
}

static __always_inline bool dropped(struct walk *walk, __u64 bits)
{
	if (begin_walk(walk, bits))
		bpf_loop(SABOT_LANE_RULES, roll_drop, walk, 0);
	return walk->drop;
}

static __always_inline void walk_delays(struct walk *walk, __u64 bits)
{
	walk->hits = 0;
	if (begin_walk(walk, bits))
		bpf_loop(SABOT_LANE_RULES, add_delay, walk, 0);
}

/* Sends the packet so many times more. Returns how often that failed. Global, so that the verifier looks at it once. */
__noinline int sabot_send_copies(struct __sk_buff *skb, __u32 copies)
{
	struct clone *clone;
	__u32 i, zero = 0;
	int failed = 0;

	clone = bpf_map_lookup_elem(&sabot_clone, &zero);
	if (!clone)
		return copies;
	for (i = 0; i < MAX_COPIES && i < copies; i++) {
		clone->copy = 1;
		failed += bpf_clone_redirect(skb, skb->ifindex, 0) != 0;
		clone->copy = 0;
	}
	return failed;
}

/* The pacer of this device, if its helper lives. */
static __always_inline struct sabot_pacer *live_pacer(__u32 lane, __u32 ifindex)
{
	struct sabot_device device = {.lane = lane, .ifindex = ifindex};
	struct sabot_pacer *pacer = bpf_map_lookup_elem(&sabot_pacers, &device);
	__u64 *beat;

	if (!pacer)
		return NULL;
	beat = bpf_map_lookup_elem(&sabot_heartbeats, &pacer->heartbeat);
	if (!beat || *beat + SABOT_PACER_HEARTBEAT_NS < bpf_ktime_get_boot_ns())
		return NULL;
	return pacer;
}

/* The sender is told, as by a full queue. */
static __always_inline int over_limit(struct walk *walk)
{
	bpf_loop(SABOT_LANE_RULES, count_affected, walk, 0);
	return TC_ACT_SHOT;
}

static __always_inline int to_pacer(struct __sk_buff *skb, struct walk *walk, __u32 tap)
{
	struct sabot_pacer_header header = {
		.release_ns = bpf_ktime_get_ns() + walk->delay_ns,
		.magic = SABOT_PACER_MAGIC,
	};

	if (bpf_skb_change_head(skb, sizeof(header), 0))
		return PASS;
	if (bpf_skb_store_bytes(skb, 0, &header, sizeof(header), 0))
		return TC_ACT_SHOT; /* cannot be: the room was just made */
	bpf_loop(SABOT_LANE_RULES, count_affected, walk, 0);
	return bpf_redirect(tap, 0);
}

SEC("tc")
int tc__network_egress(struct __sk_buff *skb)
{
	struct walk walk = {.ifindex = skb->ifindex};
	__u64 drops, copies, delays, rules;
	struct sabot_pacer *pacer = NULL;
	struct clone *clone = NULL;
	__u32 index, zero = 0;

	walk.lane = lane_of(skb, &index);
	if (!walk.lane)
		return PASS;
	drops = walk.lane->duty[SABOT_DROP_EGRESS];
	copies = walk.lane->duty[SABOT_COPY_EGRESS];
	delays = walk.lane->duty[SABOT_DELAY_PACER];
	if (copies || walk.lane->duty[SABOT_DELAY_EDT]) {
		clone = bpf_map_lookup_elem(&sabot_clone, &zero);
		if (!clone || clone->release_ns)
			return PASS;
	}
	if (delays) {
		pacer = live_pacer(index, skb->ifindex);
		if (pacer && skb->ingress_ifindex == pacer->tap_ifindex)
			return PASS;
	}
	if (clone && clone->copy) {
		clone->copy = 0; /* for what comes after this program, an ordinary packet */
		drops = copies = 0;
	} else {
		count_seen(index, SABOT_BODY_EGRESS);
	}
	rules = fitting(skb, walk.lane, index, drops | copies | delays, true);
	if (!rules)
		return PASS;
	if (dropped(&walk, rules & drops))
		return walk.silent ? bpf_redirect(NOWHERE, 0) : TC_ACT_SHOT;
	if (rules & copies)
		bpf_tail_call(skb, &sabot_tc, SABOT_BODY_COPY);
	if (rules & delays && pacer)
		bpf_tail_call(skb, &sabot_tc, SABOT_BODY_PACER);
	return PASS;
}

/* These are programs of their own because the verifier's work grows with the product of what one program does. */
SEC("tc")
int tc__network_copy(struct __sk_buff *skb)
{
	struct walk walk = {.ifindex = skb->ifindex};
	__u32 index;

	walk.lane = lane_of(skb, &index);
	if (!walk.lane)
		return PASS;
	if (begin_walk(&walk, fitting(skb, walk.lane, index, walk.lane->duty[SABOT_COPY_EGRESS], true)))
		bpf_loop(SABOT_LANE_RULES, roll_copy, &walk, 0);
	if (walk.copies && !sabot_send_copies(skb, walk.copies))
		bpf_loop(SABOT_LANE_RULES, count_affected, &walk, 0);
	if (walk.lane->duty[SABOT_DELAY_PACER])
		bpf_tail_call(skb, &sabot_tc, SABOT_BODY_PACER);
	return PASS;
}

SEC("tc")
int tc__network_pacer(struct __sk_buff *skb)
{
	struct walk walk = {.ifindex = skb->ifindex, .bytes = skb->wire_len};
	struct sabot_pacer *pacer;
	__u32 index;

	walk.lane = lane_of(skb, &index);
	if (!walk.lane)
		return PASS;
	pacer = live_pacer(index, skb->ifindex);
	if (!pacer)
		return PASS;
	walk_delays(&walk, fitting(skb, walk.lane, index, walk.lane->duty[SABOT_DELAY_PACER], true));
	if (walk.drop)
		return over_limit(&walk);
	return walk.delay_ns ? to_pacer(skb, &walk, pacer->tap_ifindex) : PASS;
}

SEC("tc")
int tc__network_ingress(struct __sk_buff *skb)
{
	struct walk walk = {.ifindex = skb->ifindex};
	__u32 index;

	walk.lane = lane_of(skb, &index);
	if (!walk.lane)
		return PASS;
	count_seen(index, SABOT_BODY_INGRESS);
	if (dropped(&walk, fitting(skb, walk.lane, index, walk.lane->duty[SABOT_DROP_INGRESS], false)))
		return TC_ACT_SHOT;
	return PASS;
}

/*
 * Held packets must not stay charged to their socket, or TCP Small Queues stops the sender. So a clone, which has no
 * socket, is sent through the same device and stamped on its way; the original ends here as if it were sent.
 */
SEC("tc")
int clsact__network_edt(struct __sk_buff *skb)
{
	struct walk walk = {.ifindex = skb->ifindex, .bytes = skb->wire_len};
	__u32 index, zero = 0;
	struct clone *clone;
	__u64 now, release;
	long error;

	clone = bpf_map_lookup_elem(&sabot_clone, &zero);
	if (!clone)
		return PASS;
	if (clone->release_ns) {
		bpf_skb_set_tstamp(skb, clone->release_ns, BPF_SKB_TSTAMP_DELIVERY_MONO);
		clone->release_ns = 0;
		return PASS;
	}
	walk.lane = lane_of(skb, &index);
	if (!walk.lane)
		return PASS;
	count_seen(index, SABOT_BODY_EDT);
	walk_delays(&walk, fitting(skb, walk.lane, index, walk.lane->duty[SABOT_DELAY_EDT], true));
	if (walk.drop)
		return over_limit(&walk);
	if (!walk.delay_ns)
		return PASS;
	now = bpf_ktime_get_ns();
	release = now;
	if (skb->tstamp_type == BPF_SKB_TSTAMP_DELIVERY_MONO && skb->tstamp > now)
		release = skb->tstamp; /* somebody paces already: the delay comes on top */
	clone->release_ns = release + walk.delay_ns;
	error = bpf_clone_redirect(skb, skb->ifindex, 0);
	clone->release_ns = 0;
	if (error)
		return PASS;
	bpf_loop(SABOT_LANE_RULES, count_affected, &walk, 0);
	return TC_ACT_STOLEN;
}

/* A classic filter of our prio qdisc: the answer is the class. */
SEC("tc")
int prio__network_netem(struct __sk_buff *skb)
{
	struct walk walk = {.ifindex = skb->ifindex};
	__u32 index;

	walk.lane = lane_of(skb, &index);
	if (!walk.lane)
		return SABOT_PRIO_HANDLE | 1;
	count_seen(index, SABOT_BODY_NETEM);
	if (begin_walk(&walk, fitting(skb, walk.lane, index, walk.lane->duty[SABOT_CLASSIFY_NETEM], true)))
		bpf_loop(SABOT_LANE_RULES, classify, &walk, 0);
	if (walk.hits)
		bpf_loop(SABOT_LANE_RULES, count_affected, &walk, 0);
	return SABOT_PRIO_HANDLE | (walk.subset + 1);
}

static __always_inline int at_cgroup(struct __sk_buff *skb, enum sabot_duty duty, enum sabot_body body, bool egress)
{
	struct walk walk = {.ifindex = skb->ifindex};
	__u32 index;
	bool drop;

	walk.lane = lane_of(skb, &index);
	if (!walk.lane)
		return 1;
	drop = dropped(&walk, fitting(skb, walk.lane, index, walk.lane->duty[duty], egress));
	if (drop || walk.lane->cgroup_only)
		count_seen(index, body);
	return !drop;
}

SEC("cgroup_skb/egress")
int cgroup_skb__network_egress(struct __sk_buff *skb)
{
	return at_cgroup(skb, SABOT_DROP_CGROUP_EGRESS, SABOT_BODY_CGROUP_EGRESS, true);
}

SEC("cgroup_skb/ingress")
int cgroup_skb__network_ingress(struct __sk_buff *skb)
{
	return at_cgroup(skb, SABOT_DROP_CGROUP_INGRESS, SABOT_BODY_CGROUP_INGRESS, false);
}

char LICENSE[] SEC("license") = "GPL";
