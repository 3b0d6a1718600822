// SPDX-License-Identifier: Apache-2.0
#include "loader/probe_context.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <memory>
#include <set>

#include "loader/probe_finding.h"
#include "loader/probe_targets.h"
#include "loader/status.h"

namespace sabot::loader {
namespace {

constexpr char kKernelBtf[] = "/sys/kernel/btf/vmlinux";

struct BtfFree {
  void operator()(btf* types) const { ::btf__free(types); }
};

// Names that a probe may ask for.
std::set<std::string> WantedNames() {
  std::set<std::string> names(std::begin(kBtfNames), std::end(kBtfNames));
  for (const char* syscall : kQuietSyscalls) names.insert(SyscallFunction(syscall));
  return names;
}

bool Interesting(const btf_type& type) { return ::btf_is_func(&type) || ::btf_is_typedef(&type); }

}  // namespace

ProbeContext::ProbeContext(std::string btf_path)
    : btf_path_(btf_path.empty() ? kKernelBtf : std::move(btf_path)) {
  ::libbpf_set_print(nullptr);
}

void ProbeContext::ReadBtf() {
  std::unique_ptr<btf, BtfFree> types(::btf__parse(btf_path_.c_str(), nullptr));
  if (!types) {
    // Tracing programs need no capability to read it, so a refusal is told as it is.
    btf_ = Failed(absl::StrCat("read ", btf_path_), errno, {ENOENT}, {});
    return;
  }
  std::set<std::string> wanted = WantedNames();
  uint32_t count = ::btf__type_cnt(types.get());
  for (uint32_t id = 1; id < count; ++id) {
    const btf_type* type = ::btf__type_by_id(types.get(), id);
    if (type == nullptr || !Interesting(*type)) continue;
    const char* name = ::btf__name_by_offset(types.get(), type->name_off);
    if (name != nullptr && wanted.contains(name)) ids_.emplace(name, id);
  }
  btf_ = Yes(absl::StrCat(btf_path_, " describes ", count - 1, " types"));
}

const Finding& ProbeContext::Btf() {
  if (!btf_ || btf_->answer == Answer::kUnknown) ReadBtf();
  return *btf_;
}

uint32_t ProbeContext::BtfId(const std::string& name) {
  Btf();
  auto found = ids_.find(name);
  return found == ids_.end() ? 0 : found->second;
}

std::optional<std::pair<std::string, uint32_t>> ProbeContext::FirstInBtf(
    std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (uint32_t id = BtfId(name)) return std::pair(std::string(name), id);
  }
  return std::nullopt;
}

absl::StatusOr<ThrowAwayNetns> ThrowAwayNetns::Create() {
  SABOT_ASSIGN_OR_RETURN(Netns netns, Netns::Create());
  SABOT_ASSIGN_OR_RETURN(Netlink netlink, Netlink::Open(netns));
  return ThrowAwayNetns{std::move(netns), std::move(netlink)};
}

std::string SyscallFunction(const char* name) {
#if defined(__x86_64__)
  return absl::StrCat("__x64_sys_", name);
#elif defined(__aarch64__)
  return absl::StrCat("__arm64_sys_", name);
#else
  return absl::StrCat("sys_", name);
#endif
}

}  // namespace sabot::loader
