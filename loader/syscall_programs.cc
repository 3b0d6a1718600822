// SPDX-License-Identifier: Apache-2.0
#include "loader/syscall_programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include <algorithm>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "loader/kprobe.h"
#include "loader/status.h"
#include "syscall.skel.h"

namespace sabot::loader {
namespace {

// As in bpf/syscall.bpf.c.
constexpr int32_t kHookPlaceholder = 0x5ab0400c;

int Silent(libbpf_print_level, const char*, va_list) { return 0; }

// Makes the placeholder in the program's code the number of its hook.
absl::Status SetHook(std::span<bpf_insn> code, uint32_t hook) {
  bool found = false;
  for (bpf_insn& insn : code) {
    if (insn.code != (BPF_LD | BPF_IMM | BPF_DW) || insn.imm != kHookPlaceholder || insn.src_reg != 0)
      continue;
    insn.imm = static_cast<int32_t>(hook);
    found = true;
  }
  return found ? absl::OkStatus() : absl::InternalError("the program has no place for its hook's number");
}

struct CgroupProgram {
  sabot_hook hook;
  bpf_attach_type type;
  const bpf_program* program;
};

std::vector<CgroupProgram> CgroupPrograms(const syscall_bpf& skeleton) {
  const auto& progs = skeleton.progs;
  return {{SABOT_HOOK_CONNECT, BPF_CGROUP_INET4_CONNECT, progs.cgroup__connect4},
          {SABOT_HOOK_CONNECT, BPF_CGROUP_INET6_CONNECT, progs.cgroup__connect6},
          {SABOT_HOOK_BIND, BPF_CGROUP_INET4_BIND, progs.cgroup__bind4},
          {SABOT_HOOK_BIND, BPF_CGROUP_INET6_BIND, progs.cgroup__bind6},
          {SABOT_HOOK_SENDMSG, BPF_CGROUP_UDP4_SENDMSG, progs.cgroup__sendmsg4},
          {SABOT_HOOK_SENDMSG, BPF_CGROUP_UDP6_SENDMSG, progs.cgroup__sendmsg6},
          {SABOT_HOOK_GETSOCKOPT, BPF_CGROUP_GETSOCKOPT, progs.cgroup__getsockopt},
          {SABOT_HOOK_SETSOCKOPT, BPF_CGROUP_SETSOCKOPT, progs.cgroup__setsockopt}};
}

bool IsSockopt(sabot_hook hook) { return hook == SABOT_HOOK_GETSOCKOPT || hook == SABOT_HOOK_SETSOCKOPT; }

absl::Status NoFunction(const std::string& function) {
  return absl::UnimplementedError(absl::StrCat("this kernel has no function ", function, " to attach to"));
}

}  // namespace

void SyscallPrograms::Close::operator()(syscall_bpf* skeleton) const { syscall_bpf__destroy(skeleton); }

absl::StatusOr<SyscallPrograms::Skeleton> SyscallPrograms::Load(const Options& options) {
  libbpf_set_print(Silent);
  Skeleton skeleton(syscall_bpf__open());
  if (skeleton == nullptr) return ErrnoStatus(errno, "open BPF object syscall");
  bpf_map__set_max_entries(skeleton->maps.sabot_calls, options.keys);
  bpf_map__set_max_entries(skeleton->maps.sabot_call_rules, options.rules);
  bpf_map__set_max_entries(skeleton->maps.sabot_call_states, options.rules);
  bpf_map__set_max_entries(skeleton->maps.sabot_call_count, options.rules);
  bpf_program__set_autoload(skeleton->progs.kprobe__syscall, options.kprobe_override);
  bpf_program__set_autoload(skeleton->progs.fmod_ret__syscall, options.fmod_ret_syscall);
  bpf_program__set_autoload(skeleton->progs.fmod_ret__security, options.fmod_ret_security);
  for (const CgroupProgram& one : CgroupPrograms(*skeleton)) {
    bpf_program__set_autoload(const_cast<bpf_program*>(one.program),
                              IsSockopt(one.hook) ? options.cgroup_sockopt : options.cgroup_sock_addr);
  }
  const int error = syscall_bpf__load(skeleton.get());
  if (error != 0) return ErrnoStatus(-error, "load BPF object syscall");
  skeleton->bss->sabot_self = options.self;
  return skeleton;
}

absl::StatusOr<std::unique_ptr<SyscallPrograms>> SyscallPrograms::Create(const Options& options) {
  KernelFunctions functions;
  if (options.fmod_ret_syscall || options.fmod_ret_security) {
    SABOT_ASSIGN_OR_RETURN(functions, KernelFunctions::Read({"__x64_sys_", "__ia32_", "security_"}));
  }
  SABOT_ASSIGN_OR_RETURN(Skeleton skeleton, Load(options));
  SABOT_ASSIGN_OR_RETURN(auto rules,
                         MappedArray<sabot_call_rule>::Create(bpf_map__fd(skeleton->maps.sabot_call_rules),
                                                              options.rules, "sabot_call_rules"));
  SABOT_ASSIGN_OR_RETURN(auto states,
                         MappedArray<sabot_call_state>::Create(bpf_map__fd(skeleton->maps.sabot_call_states),
                                                               options.rules, "sabot_call_states"));
  return std::unique_ptr<SyscallPrograms>(new SyscallPrograms(options, std::move(skeleton), std::move(rules),
                                                              std::move(states), std::move(functions)));
}

SyscallPrograms::SyscallPrograms(Options options, Skeleton skeleton, MappedArray<sabot_call_rule> rules,
                                 MappedArray<sabot_call_state> states, KernelFunctions functions)
    : options_(options),
      skeleton_(std::move(skeleton)),
      rules_(std::move(rules)),
      states_(std::move(states)),
      functions_(std::move(functions)),
      calls_(bpf_map__fd(skeleton_->maps.sabot_calls), "sabot_calls"),
      counts_(bpf_map__fd(skeleton_->maps.sabot_call_count), "sabot_call_count") {}

SyscallPrograms::~SyscallPrograms() = default;

void SyscallPrograms::SetLease(uint64_t boottime_ns) {
  __atomic_store_n(&skeleton_->bss->sabot_lease_ns, boottime_ns, __ATOMIC_SEQ_CST);
}

void SyscallPrograms::SetScopes(uint32_t scopes, uint32_t levels) {
  __atomic_store_n(&skeleton_->bss->sabot_levels, levels, __ATOMIC_SEQ_CST);
  __atomic_store_n(&skeleton_->bss->sabot_scopes, scopes, __ATOMIC_SEQ_CST);
}

absl::StatusOr<HookLinks> SyscallPrograms::AttachOverride(const std::string& function, bool compat) const {
  if (!options_.kprobe_override) return absl::UnimplementedError("bpf_override_return is not to be used");
  SABOT_ASSIGN_OR_RETURN(UniqueFd link, AttachKprobe(bpf_program__fd(skeleton_->progs.kprobe__syscall),
                                                     function, compat ? SABOT_CALL_COMPAT : 0));
  HookLinks links;
  links.push_back(std::move(link));
  return links;
}

absl::StatusOr<HookLinks> SyscallPrograms::AttachEntry(const std::string& function, bool compat) const {
  if (!options_.fmod_ret_syscall)
    return absl::UnimplementedError("fmod_ret on system calls is not to be used");
  return AttachCopy(skeleton_->progs.fmod_ret__syscall, function, compat ? SABOT_CALL_COMPAT : 0);
}

absl::StatusOr<HookLinks> SyscallPrograms::AttachSecurity(const std::string& function, uint32_t hook) const {
  if (!options_.fmod_ret_security)
    return absl::UnimplementedError("fmod_ret on security hooks is not to be used");
  return AttachCopy(skeleton_->progs.fmod_ret__security, function, hook);
}

// A program is bound to one function when it is loaded: each function gets a copy, which shares the maps.
absl::StatusOr<HookLinks> SyscallPrograms::AttachCopy(const bpf_program* program, const std::string& function,
                                                      uint32_t hook) const {
  const uint32_t id = functions_.IdOf(function);
  if (id == 0) return NoFunction(function);
  const bpf_insn* begin = bpf_program__insns(program);
  std::vector<bpf_insn> code(begin, begin + bpf_program__insn_cnt(program));
  SABOT_RETURN_IF_ERROR(SetHook(code, hook));
  LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_MODIFY_RETURN, .attach_btf_id = id);
  const int fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, bpf_program__name(program), "GPL", code.data(),
                               code.size(), &options);
  if (fd == -EINVAL) {
    return absl::UnimplementedError(
        absl::StrCat("this kernel does not let ", function, " be given false results"));
  }
  if (fd < 0) return ErrnoStatus(-fd, absl::StrCat("load an fmod_ret program for ", function));
  const UniqueFd loaded(fd);
  const int link = bpf_raw_tracepoint_open(nullptr, loaded.get());
  if (link < 0) return ErrnoStatus(-link, absl::StrCat("attach fmod_ret to ", function));
  HookLinks links;
  links.emplace_back(link);
  return links;
}

absl::StatusOr<HookLinks> SyscallPrograms::AttachCgroup(sabot_hook hook, int cgroup) const {
  if (!(IsSockopt(hook) ? options_.cgroup_sockopt : options_.cgroup_sock_addr)) {
    return absl::UnimplementedError("cgroup hooks are not to be used");
  }
  HookLinks links;
  for (const CgroupProgram& one : CgroupPrograms(*skeleton_)) {
    if (one.hook != hook) continue;
    const int link = bpf_link_create(bpf_program__fd(one.program), cgroup, one.type, nullptr);
    if (link < 0) {
      return ErrnoStatus(-link, absl::StrCat("attach ", bpf_program__name(one.program), " to a cgroup"));
    }
    links.emplace_back(link);
  }
  return links;
}

}  // namespace sabot::loader
