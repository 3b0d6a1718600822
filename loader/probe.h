// SPDX-License-Identifier: Apache-2.0
//
// What this kernel offers, found out by trying: every probe provokes the real thing (loads the program, makes
// the qdisc) in a throw-away network namespace where it needs one, and never in the machine's own. Kernel
// versions appear in messages only.
#ifndef SABOT_LOADER_PROBE_H_
#define SABOT_LOADER_PROBE_H_

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace sabot::loader {

enum class Answer {
  kYes,
  kNo,      // the kernel lacks it, or it was turned off by option
  kDenied,  // the kernel may well have it but refuses it to us (EPERM, EACCES, or a capability that we do not
            // have)
  kUnknown,  // the attempt failed for a reason that says nothing (no memory, no descriptors...); asked again
             // next time
};
std::string_view AnswerName(Answer answer);  // "yes", "no", "denied", "unknown"

struct Finding {
  Answer answer = Answer::kUnknown;
  // A sentence without a full stop, for yes too: what was tried, and what came of it.
  std::string reason;
};

enum class Feature {
  kBpf,                 // any program loads
  kBtf,                 // the kernel describes its own types
  kTc,                  // sched_cls programs with the helpers that the network faults use
  kTcx,                 // tcx links
  kClsact,              // qdisc clsact
  kClsBpfDirectAction,  // filter bpf, direct-action
  kCgroupV2,            // a mounted cgroup v2 tree
  kCgroupSkb,           // cgroup_skb programs attach to a cgroup
  kCgroupSockAddr,      // connect, bind, sendmsg, recvmsg programs with bpf_set_retval
  kCgroupSockopt,       // getsockopt, setsockopt programs with bpf_set_retval
  kSkLookup,            // sk_lookup links
  kFq,                  // qdisc fq
  kFqHorizon,           // fq with a settable horizon
  kNetem,               // qdisc netem
  kPrio,                // qdisc prio
  kTbf,                 // qdisc tbf
  kVeth,                // veth devices
  kIfb,                 // ifb devices
  kTun,                 // tap devices
  kTunVnetHdr,          // tap devices with IFF_VNET_HDR and checksum and segmentation offloads
  kKprobe,              // kprobe programs attach
  kKprobeOverride,      // bpf_override_return
  kFentry,              // fentry programs attach
  kFmodRetSyscall,      // fmod_ret on a system call
  kFmodRetSecurity,     // fmod_ret on a security_* hook
  kBpfLsm,              // lsm programs attach, and the BPF LSM is active
  kTpBtf,               // tp_btf programs attach
  kTaskFileIter,        // iter/task_file
  kCopyFromUserTask,    // bpf_copy_from_user_task in a sleepable program
  kTaskWork,            // kfunc bpf_task_work_schedule_resume
  kTaskFromPid,         // kfunc bpf_task_from_pid
  kDPath,               // bpf_d_path
  kProbeWriteUser,      // bpf_probe_write_user
  kBpfLoop,             // bpf_loop
  kFuse,                // FUSE mounts
  kFusePassthrough,     // FUSE_PASSTHROUGH in FUSE's handshake
  kFanotifyPermission,  // fanotify permission events
  kVdsoPatch,           // a stopped process's copy of the vDSO can be written
};

class ProbeContext;  // what the probes of one Features share; probe_context.h

// One row of the table of features.
struct FeatureInfo {
  Feature feature;
  std::string_view name;     // for --no-feature and `sabot doctor`: "fmod-ret-security"
  std::string_view purpose;  // what Sabot uses it for
  std::string_view since;    // "6.6", "5.8 with CONFIG_NET_SCH_FQ": where Linux has it; for messages only
  Finding (*probe)(ProbeContext& context);
};

// Every feature, in the order of the enumeration.
std::span<const FeatureInfo> AllFeatures();
const FeatureInfo& InfoOf(Feature feature);
std::string_view FeatureName(Feature feature);
// nullopt if no feature has that name.
std::optional<Feature> FeatureByName(std::string_view name);

// The answers for this kernel and this process. Each probe runs when its feature is first asked for.
// Conclusive answers (yes, no, denied) are kept; an unknown one is asked for again. Move-only.
// Thread-compatible: no two threads at a time, the const functions included, because they fill the cache.
class Features {
 public:
  struct Options {
    std::vector<std::string> disabled;  // names of features that answer "no" without a probe
    std::string btf_path;               // instead of /sys/kernel/btf/vmlinux, where not empty
  };

  // Probes nothing yet. kInvalidArgument, naming it, if `disabled` has a name that no feature has.
  static absl::StatusOr<Features> Probe(const Options& options);
  // Probes with the default options.
  static Features Probe();
  // These answers and no probing: found by another process, or made up. Any other feature is unknown.
  static Features Of(std::map<Feature, Finding> findings);

  Features(Features&&) noexcept;
  Features& operator=(Features&&) noexcept;
  ~Features();

  // The reference is good until the same feature is asked for again, Forget(), or the end of the object.
  const Finding& Get(Feature feature) const;
  bool Has(Feature feature) const { return Get(feature).answer == Answer::kYes; }
  // Forgets what was found, but not what is disabled: for a kernel module that was loaded meanwhile.
  void Forget();

 private:
  Features();

  std::map<Feature, Finding> disabled_;
  mutable std::map<Feature, Finding> found_;
  std::unique_ptr<ProbeContext> context_;  // null if nothing is ever probed
};

}  // namespace sabot::loader

#endif  // SABOT_LOADER_PROBE_H_
