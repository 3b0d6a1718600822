// SPDX-License-Identifier: Apache-2.0
//
// Owner of bpf/syscall.bpf.c: loads it once, attaches it where asked, and gives access to its maps. Knows
// keys, rules and hooks as bpf/abi/syscall.h defines them, and not what they are for. Thread-compatible.
#ifndef SABOT_LOADER_SYSCALL_PROGRAMS_H_
#define SABOT_LOADER_SYSCALL_PROGRAMS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bpf/abi/syscall.h"
#include "loader/fd.h"
#include "loader/kernel_functions.h"
#include "loader/map.h"

struct syscall_bpf;
struct bpf_program;

namespace sabot::loader {

// Links to a hook; closing them detaches.
using HookLinks = std::vector<UniqueFd>;

class SyscallPrograms {
 public:
  struct Options {
    uint32_t rules = 0;  // 264 bytes of kernel memory each, and 24 per CPU
    uint32_t keys = 0;   // about 150 bytes of kernel memory each, when in use
    // Which programs the kernel takes; attaching others answers UNIMPLEMENTED.
    bool kprobe_override = false;
    bool fmod_ret_syscall = false;
    bool fmod_ret_security = false;
    bool cgroup_sock_addr = false;
    bool cgroup_sockopt = false;
    uint32_t self = 0;  // thread group that is never matched; 0: none
  };
  static absl::StatusOr<std::unique_ptr<SyscallPrograms>> Create(const Options& options);
  ~SyscallPrograms();

  // Rules act until this CLOCK_BOOTTIME. A plain store: costs nothing and cannot fail.
  void SetLease(uint64_t boottime_ns);
  // Kinds of scope (enum sabot_scope) that any key has, and the levels of the tree on which its cgroups are:
  // bit 1 for those below the root. A key of another kind or level is not looked up.
  void SetScopes(uint32_t scopes, uint32_t levels);

  MappedArray<sabot_call_rule>& rules() { return rules_; }
  MappedArray<sabot_call_state>& states() { return states_; }
  // kResourceExhausted beyond Options::keys.
  absl::Status SetKey(const sabot_call_key& key, const sabot_call_rules& rules) {
    return calls_.Set(key, rules);
  }
  absl::Status EraseKey(const sabot_call_key& key) { return calls_.Erase(key); }
  absl::StatusOr<sabot_call_counts> Counts(uint32_t rule) const { return counts_.Sum(rule); }
  absl::Status ClearCounts(uint32_t rule) { return counts_.Clear(rule); }

  // By a kprobe on the kernel's function ("__x64_sys_openat"; `compat`: it is of the 32-bit table), or by
  // fmod_ret on it. UNIMPLEMENTED if there is no such function, or it may not be given false results.
  absl::StatusOr<HookLinks> AttachOverride(const std::string& function, bool compat) const;
  absl::StatusOr<HookLinks> AttachEntry(const std::string& function, bool compat) const;
  // `hook` from SABOT_HOOK_SECURITY. UNIMPLEMENTED if this kernel has no such function.
  absl::StatusOr<HookLinks> AttachSecurity(const std::string& function, uint32_t hook) const;
  // One of SABOT_HOOK_CONNECT to SABOT_HOOK_SETSOCKOPT, for sockets of the cgroup open as `cgroup` and those
  // below it.
  absl::StatusOr<HookLinks> AttachCgroup(sabot_hook hook, int cgroup) const;

 private:
  struct Close {
    void operator()(syscall_bpf* skeleton) const;
  };
  using Skeleton = std::unique_ptr<syscall_bpf, Close>;

  SyscallPrograms(Options options, Skeleton skeleton, MappedArray<sabot_call_rule> rules,
                  MappedArray<sabot_call_state> states, KernelFunctions functions);
  static absl::StatusOr<Skeleton> Load(const Options& options);
  absl::StatusOr<HookLinks> AttachCopy(const bpf_program* program, const std::string& function,
                                       uint32_t hook) const;

  Options options_;
  Skeleton skeleton_;
  MappedArray<sabot_call_rule> rules_;
  MappedArray<sabot_call_state> states_;
  KernelFunctions functions_;
  MapRef<sabot_call_key, sabot_call_rules> calls_;
  PerCpuArrayRef<sabot_call_counts> counts_;
};

}  // namespace sabot::loader

#endif  // SABOT_LOADER_SYSCALL_PROGRAMS_H_
