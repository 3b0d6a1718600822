// SPDX-License-Identifier: Apache-2.0
//
// The kernel's functions that programs can be attached to by BTF. Immutable once made; any thread.
#ifndef SABOT_LOADER_KERNEL_FUNCTIONS_H_
#define SABOT_LOADER_KERNEL_FUNCTIONS_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "absl/status/statusor.h"

namespace sabot::loader {

class KernelFunctions {
 public:
  // Those whose names begin with one of `prefixes`. Reads the kernel's BTF, some 10 ms, and keeps only names
  // and ids. NOT_FOUND if the kernel has no BTF.
  static absl::StatusOr<KernelFunctions> Read(std::initializer_list<std::string_view> prefixes);

  // BTF id of the function; 0 if there is none of that name (or not under the prefixes).
  uint32_t IdOf(const std::string& name) const;

 private:
  std::unordered_map<std::string, uint32_t> ids_;
};

}  // namespace sabot::loader

#endif  // SABOT_LOADER_KERNEL_FUNCTIONS_H_
