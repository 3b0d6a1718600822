// SPDX-License-Identifier: Apache-2.0
#include "loader/kernel_functions.h"

#include <bpf/btf.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "loader/status.h"

namespace sabot::loader {
namespace {

struct BtfFree {
  void operator()(btf* types) const { ::btf__free(types); }
};

}  // namespace

absl::StatusOr<KernelFunctions> KernelFunctions::Read(std::initializer_list<std::string_view> prefixes) {
  const std::unique_ptr<btf, BtfFree> types(::btf__load_vmlinux_btf());
  if (!types) return ErrnoStatus(errno, "read the kernel's BTF");
  KernelFunctions functions;
  const uint32_t count = ::btf__type_cnt(types.get());
  for (uint32_t id = 1; id < count; ++id) {
    const btf_type* type = ::btf__type_by_id(types.get(), id);
    if (type == nullptr || !::btf_is_func(type)) continue;
    const char* name = ::btf__name_by_offset(types.get(), type->name_off);
    if (name == nullptr) continue;
    const std::string_view text = name;
    const bool wanted = std::any_of(prefixes.begin(), prefixes.end(),
                                    [text](std::string_view prefix) { return text.starts_with(prefix); });
    if (wanted) functions.ids_.emplace(name, id);
  }
  return functions;
}

uint32_t KernelFunctions::IdOf(const std::string& name) const {
  const auto found = ids_.find(name);
  return found == ids_.end() ? 0 : found->second;
}

}  // namespace sabot::loader
