// SPDX-License-Identifier: Apache-2.0
//
// The table of features.
#include <algorithm>
#include <iterator>

#include "loader/probe.h"
#include "loader/probe_list.h"

namespace sabot::loader {
namespace {

constexpr FeatureInfo kTable[] = {
    {Feature::kBpf, "bpf", "everything", "4.4 with CONFIG_BPF_SYSCALL", ProbeBpf},
    {Feature::kBtf, "btf", "programs that read the kernel's structures or attach to its functions",
     "5.4 with CONFIG_DEBUG_INFO_BTF", ProbeBtf},
    {Feature::kTc, "tc", "network faults on a pod's device", "5.18 with CONFIG_NET_CLS_ACT", ProbeTc},
    {Feature::kTcx, "tcx", "network faults that end with the agent", "6.6", ProbeTcx},
    {Feature::kClsact, "clsact", "network faults where tcx is missing; delay by clones",
     "4.5 with CONFIG_NET_SCH_INGRESS", ProbeClsact},
    {Feature::kClsBpfDirectAction, "cls-bpf-direct-action",
     "network faults where tcx is missing; delay by clones", "4.4 with CONFIG_NET_CLS_BPF",
     ProbeClsBpfDirectAction},
    {Feature::kCgroupV2, "cgroup-v2", "targets that are cgroups", "4.5", ProbeCgroupV2},
    {Feature::kCgroupSkb, "cgroup-skb", "partition that the sender notices; pods on the machine's network",
     "5.7 with CONFIG_CGROUP_BPF", ProbeCgroupSkb},
    {Feature::kCgroupSockAddr, "cgroup-sock-addr", "errors of connect, bind, sendmsg and recvmsg",
     "5.18 with CONFIG_CGROUP_BPF", ProbeCgroupSockAddr},
    {Feature::kCgroupSockopt, "cgroup-sockopt", "errors of getsockopt and setsockopt",
     "5.18 with CONFIG_CGROUP_BPF", ProbeCgroupSockopt},
    {Feature::kSkLookup, "sk-lookup", "HTTP faults without iptables", "5.9", ProbeSkLookup},
    {Feature::kFq, "fq", "delay by time stamps", "3.12 with CONFIG_NET_SCH_FQ", ProbeFq},
    {Feature::kFqHorizon, "fq-horizon", "delays of more than 10 s by time stamps",
     "5.8 with CONFIG_NET_SCH_FQ", ProbeFqHorizon},
    {Feature::kNetem, "netem", "delay, jitter and reordering where fq is missing",
     "2.6.7 with CONFIG_NET_SCH_NETEM", ProbeNetem},
    {Feature::kPrio, "prio", "netem for some packets only", "2.2 with CONFIG_NET_SCH_PRIO", ProbePrio},
    {Feature::kTbf, "tbf", "bandwidth", "2.2 with CONFIG_NET_SCH_TBF", ProbeTbf},
    {Feature::kVeth, "veth", "the demo's network", "2.6.24 with CONFIG_VETH", ProbeVeth},
    {Feature::kIfb, "ifb", "delay of what a pod receives", "2.6.17 with CONFIG_IFB", ProbeIfb},
    {Feature::kTun, "tun", "delay in user space", "2.4 with CONFIG_TUN", ProbeTun},
    {Feature::kTunVnetHdr, "tun-vnet-hdr", "delay in user space at full packet size",
     "2.6.27 with CONFIG_TUN", ProbeTunVnetHdr},
    {Feature::kKprobe, "kprobe", "the base of overriding results", "4.1 with CONFIG_KPROBE_EVENTS",
     ProbeKprobe},
    {Feature::kKprobeOverride, "kprobe-override", "errors of any system call, and failures inside the kernel",
     "4.16 with CONFIG_BPF_KPROBE_OVERRIDE", ProbeKprobeOverride},
    {Feature::kFentry, "fentry", "watching and delaying single functions", "5.5, on arm64 6.0", ProbeFentry},
    {Feature::kFmodRetSyscall, "fmod-ret-syscall", "errors of any system call",
     "5.7 with CONFIG_FUNCTION_ERROR_INJECTION", ProbeFmodRetSyscall},
    {Feature::kFmodRetSecurity, "fmod-ret-security", "errors of file operations", "5.7, on arm64 6.4",
     ProbeFmodRetSecurity},
    {Feature::kBpfLsm, "bpf-lsm", "errors and delays of file operations",
     "5.7 with CONFIG_BPF_LSM and bpf in the list of active security modules", ProbeBpfLsm},
    {Feature::kTpBtf, "tp-btf", "following new processes", "5.5", ProbeTpBtf},
    {Feature::kTaskFileIter, "iter-task-file", "faults on files that are open already", "5.8",
     ProbeTaskFileIter},
    {Feature::kCopyFromUserTask, "copy-from-user-task", "delays inside the kernel", "5.18",
     ProbeCopyFromUserTask},
    {Feature::kTaskWork, "task-work", "delays of any system call on its way back", "6.18", ProbeTaskWork},
    {Feature::kTaskFromPid, "task-from-pid", "delays inside single functions", "6.2", ProbeTaskFromPid},
    {Feature::kDPath, "d-path", "faults by path", "5.10", ProbeDPath},
    {Feature::kProbeWriteUser, "probe-write-user", "changing results in a process's memory",
     "4.8, unless it is locked down", ProbeProbeWriteUser},
    {Feature::kBpfLoop, "bpf-loop", "rules beyond a few", "5.17", ProbeBpfLoop},
    {Feature::kFuse, "fuse", "file faults in user space; delays inside the kernel",
     "2.6.14 with CONFIG_FUSE_FS", ProbeFuse},
    {Feature::kFusePassthrough, "fuse-passthrough", "file faults in user space at nearly full speed",
     "6.9 with CONFIG_FUSE_PASSTHROUGH", ProbeFusePassthrough},
    {Feature::kFanotifyPermission, "fanotify-permission", "delays of open and read",
     "2.6.37 with CONFIG_FANOTIFY_ACCESS_PERMISSIONS", ProbeFanotifyPermission},
    {Feature::kVdsoPatch, "vdso-patch", "clocks that are wrong at native speed",
     "3.4, unless proc_mem.force_override forbids it", ProbeVdsoPatch},
};

// InfoOf() takes the enumeration as the index.
constexpr bool InOrder() {
  for (size_t i = 0; i < std::size(kTable); ++i) {
    if (kTable[i].feature != static_cast<Feature>(i)) return false;
  }
  return true;
}
static_assert(InOrder());
static_assert(std::size(kTable) == static_cast<size_t>(Feature::kVdsoPatch) + 1);

}  // namespace

std::span<const FeatureInfo> AllFeatures() { return kTable; }

const FeatureInfo& InfoOf(Feature feature) { return kTable[static_cast<size_t>(feature)]; }

std::string_view FeatureName(Feature feature) { return InfoOf(feature).name; }

std::optional<Feature> FeatureByName(std::string_view name) {
  auto row = std::find_if(std::begin(kTable), std::end(kTable),
                          [&](const FeatureInfo& info) { return info.name == name; });
  if (row == std::end(kTable)) return std::nullopt;
  return row->feature;
}

}  // namespace sabot::loader
