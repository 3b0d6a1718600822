/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What the kernel side puts in front of a frame that it hands to the pacer through a tap device: when the frame
 * may go on. It stands before the Ethernet header, so offsets in the frame's virtio header (csum_start, hdr_len)
 * count it too.
 */
#ifndef SABOT_BPF_ABI_PACER_H
#define SABOT_BPF_ABI_PACER_H

#include <linux/types.h>

#define SABOT_PACER_MAGIC 0x7061ce52u

struct sabot_pacer_header {
	__u64 release_ns; /* CLOCK_MONOTONIC */
	__u32 magic;
	__u32 reserved;
};

/*
 * The kernel side hands frames over only while the helper's heartbeat (CLOCK_BOOTTIME, ns, in a map that the
 * helper has mapped) is younger than this; otherwise frames pass undelayed.
 */
#define SABOT_PACER_HEARTBEAT_NS (500ull * 1000 * 1000)

#ifdef __cplusplus
static_assert(sizeof(sabot_pacer_header) == 16);
#else
_Static_assert(sizeof(struct sabot_pacer_header) == 16, "");
#endif

#endif
