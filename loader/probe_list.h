// SPDX-License-Identifier: Apache-2.0
//
// The probes, one function per feature; the table that names them is in probe_table.cc.
#ifndef SABOT_LOADER_PROBE_LIST_H_
#define SABOT_LOADER_PROBE_LIST_H_

#include "loader/probe.h"

namespace sabot::loader {

// probe_bpf.cc
Finding ProbeBpf(ProbeContext& context);
Finding ProbeBtf(ProbeContext& context);
Finding ProbeBpfLoop(ProbeContext& context);
Finding ProbeCopyFromUserTask(ProbeContext& context);
Finding ProbeProbeWriteUser(ProbeContext& context);
Finding ProbeTaskWork(ProbeContext& context);
Finding ProbeTaskFromPid(ProbeContext& context);

// probe_network.cc
Finding ProbeTc(ProbeContext& context);
Finding ProbeTcx(ProbeContext& context);
Finding ProbeClsact(ProbeContext& context);
Finding ProbeClsBpfDirectAction(ProbeContext& context);
Finding ProbeSkLookup(ProbeContext& context);
Finding ProbeFq(ProbeContext& context);
Finding ProbeFqHorizon(ProbeContext& context);
Finding ProbeNetem(ProbeContext& context);
Finding ProbePrio(ProbeContext& context);
Finding ProbeTbf(ProbeContext& context);

// probe_device.cc
Finding ProbeVeth(ProbeContext& context);
Finding ProbeIfb(ProbeContext& context);
Finding ProbeTun(ProbeContext& context);
Finding ProbeTunVnetHdr(ProbeContext& context);

// probe_cgroup.cc
Finding ProbeCgroupV2(ProbeContext& context);
Finding ProbeCgroupSkb(ProbeContext& context);
Finding ProbeCgroupSockAddr(ProbeContext& context);
Finding ProbeCgroupSockopt(ProbeContext& context);

// probe_trace.cc
Finding ProbeFentry(ProbeContext& context);
Finding ProbeFmodRetSyscall(ProbeContext& context);
Finding ProbeFmodRetSecurity(ProbeContext& context);
Finding ProbeBpfLsm(ProbeContext& context);
Finding ProbeTpBtf(ProbeContext& context);
Finding ProbeTaskFileIter(ProbeContext& context);
Finding ProbeDPath(ProbeContext& context);

// probe_kprobe.cc
Finding ProbeKprobe(ProbeContext& context);
Finding ProbeKprobeOverride(ProbeContext& context);

// probe_file.cc
Finding ProbeFuse(ProbeContext& context);
Finding ProbeFusePassthrough(ProbeContext& context);
Finding ProbeFanotifyPermission(ProbeContext& context);

// probe_vdso.cc
Finding ProbeVdsoPatch(ProbeContext& context);

}  // namespace sabot::loader

#endif  // SABOT_LOADER_PROBE_LIST_H_
