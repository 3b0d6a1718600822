/* SPDX-License-Identifier: GPL-2.0-only */
/* Chance and time arithmetic of the network rules. Pure; compiles as C and C++. */
#ifndef SABOT_BPF_LIB_DICE_H
#define SABOT_BPF_LIB_DICE_H

#include <linux/types.h>

/*
 * A roll that is `*last` again with the chance `correlation` and otherwise `fresh`, whatever the roll is used for: all
 * values are as likely as without correlation, and two rolls in a row are correlated by exactly that chance. `again`
 * and `fresh` are random numbers.
 */
static inline __u32 sabot_roll(__u32 correlation, __u32 again, __u32 fresh, __u32 *last)
{
	if (correlation == 0)
		return fresh;
	if (again >= correlation)
		*last = fresh;
	return *last;
}

/* Evenly spread over `middle` +- `spread` by a roll, at least 0. Both are below 2^42. */
static inline __u64 sabot_spread(__u64 middle, __u64 spread, __u32 roll)
{
	__u64 width = 2 * spread + 1, offset;

	if (width >> 32)
		offset = (width >> 12) * roll >> 20;
	else
		offset = width * roll >> 32;
	return middle + offset > spread ? middle + offset - spread : 0;
}

#define SABOT_NS_PER_SECOND 1000000000ull

/* How long `bytes` (below 2^34) take at `rate` bytes a second, which is not 0. */
static inline __u64 sabot_time_of(__u64 bytes, __u64 rate)
{
	return bytes * SABOT_NS_PER_SECOND / rate;
}

#endif
