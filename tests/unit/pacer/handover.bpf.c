// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * The least kernel side that a pacer can work with: every frame that leaves the device waits for the same time. What
 * comes back from the tap passes.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi/pacer.h"

/* Those of TC_ACT_*, TCX_* and the default of both: go on. */
#define PASS 0

volatile __u64 delay_ns;
/* Added to every second frame. */
volatile __u64 other_delay_ns;
volatile __u32 tap_ifindex;
volatile __u32 device_ifindex;
volatile __u32 heartbeat_index;
volatile __u16 vlan; /* a tag to put on what is handed over */

volatile __u64 handed_over;
volatile __u64 undelayed;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);
} heartbeats SEC(".maps");

static int helper_alive(void)
{
	__u32 key = heartbeat_index;
	__u64 *beat = bpf_map_lookup_elem(&heartbeats, &key);

	return beat && bpf_ktime_get_boot_ns() - *beat < SABOT_PACER_HEARTBEAT_NS;
}

SEC("tc")
int hand_over(struct __sk_buff *skb)
{
	struct sabot_pacer_header header = { .magic = SABOT_PACER_MAGIC };

	if (skb->ingress_ifindex == tap_ifindex)
		return PASS;
	if (!delay_ns || !helper_alive()) {
		undelayed++;
		return PASS;
	}
	header.release_ns = bpf_ktime_get_ns() + delay_ns;
	if (handed_over & 1)
		header.release_ns += other_delay_ns;
	if (vlan && bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), vlan))
		return PASS;
	if (bpf_skb_change_head(skb, sizeof(header), 0))
		return PASS;
	if (bpf_skb_store_bytes(skb, 0, &header, sizeof(header), 0))
		return PASS;
	handed_over++;
	return bpf_redirect(tap_ifindex, 0);
}

SEC("tc")
int take_back(struct __sk_buff *skb)
{
	return bpf_redirect(device_ifindex, 0);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
