// SPDX-License-Identifier: Apache-2.0
//
// What the probes share.
#ifndef SABOT_LOADER_PROBE_CONTEXT_H_
#define SABOT_LOADER_PROBE_CONTEXT_H_

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "loader/netlink.h"
#include "loader/netns.h"
#include "loader/probe.h"

namespace sabot::loader {

// One per Features. Not thread-safe.
class ProbeContext {
 public:
  // `btf_path` empty: the kernel's own. Turns libbpf's messages off.
  explicit ProbeContext(std::string btf_path);

  // Whether the kernel's BTF can be read.
  const Finding& Btf();
  // The BTF id of a function or, for tracepoints, of the type "btf_trace_NAME"; 0 if BTF is missing or lacks
  // it. Only names in the list in probe_context.cc are known, so that the BTF itself needs not be kept.
  uint32_t BtfId(const std::string& name);
  // The first of the names that has an id, and the id; nullopt if none has.
  std::optional<std::pair<std::string, uint32_t>> FirstInBtf(std::initializer_list<const char*> names);

 private:
  void ReadBtf();

  std::string btf_path_;
  std::optional<Finding> btf_;  // set once read
  std::map<std::string, uint32_t> ids_;
};

// A namespace for one attempt, with only a loopback device (kLoopback), and a socket in it. All that an
// attempt makes in it goes with it.
struct ThrowAwayNetns {
  static absl::StatusOr<ThrowAwayNetns> Create();
  Netns netns;
  Netlink netlink;
};
inline constexpr int kLoopback = 1;  // its ifindex

// The name of the kernel's function for a system call: "__x64_sys_ustat".
std::string SyscallFunction(const char* name);

}  // namespace sabot::loader

#endif  // SABOT_LOADER_PROBE_CONTEXT_H_
