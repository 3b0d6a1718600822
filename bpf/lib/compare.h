/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Pure helper, also compiled as C++ for tests. */
#ifndef SABOT_BPF_LIB_COMPARE_H
#define SABOT_BPF_LIB_COMPARE_H

#include <linux/types.h>

/* Which of SABOT_IS_* in bpf/abi/syscall.h `a` is of `b`, without a branch: each would double what the verifier has to look at. */
static inline __u32 sabot_compare(__u64 a, __u64 b)
{
	__u64 difference = a ^ b;
	__u64 differs = (difference | -difference) >> 63;
	__u64 less = ((~a & b) | (~difference & (a - b))) >> 63;

	return (__u32)(less | (differs ^ 1) << 1 | (differs & ~less) << 2);
}

#endif
