// SPDX-License-Identifier: Apache-2.0
//
// Loading the small programs of the probes, and reading from a refusal what it means.
#ifndef SABOT_LOADER_PROBE_PROGRAM_H_
#define SABOT_LOADER_PROBE_PROGRAM_H_

#include <linux/bpf.h>

#include <cstdint>
#include <span>
#include <string>

#include "loader/fd.h"
#include "loader/probe_finding.h"

namespace sabot::loader {

struct ProbeProgram {
  const char* what;  // "a tp_btf program", for messages
  bpf_prog_type type = BPF_PROG_TYPE_UNSPEC;
  std::span<const bpf_insn> code;
  int attach_type = 0;  // bpf_attach_type
  uint32_t btf_id = 0;  // what it attaches to
  uint32_t flags = 0;   // BPF_F_*
  Capabilities needed = kBpf;
};

// A program in the kernel, or the errno and the verifier's words.
struct LoadResult {
  UniqueFd fd;
  int error = 0;
  std::string log;  // the last line that says something, often empty
  bool ok() const { return fd.valid(); }
};
LoadResult LoadProgram(const ProbeProgram& program);
// What a refusal to load means: EINVAL is "no" (unknown type, helper or target), EPERM "denied". A verdict of
// the verifier (EACCES with a log) is "unknown": it is about our program.
Finding LoadFailed(const ProbeProgram& program, const LoadResult& result);

// Yes, if it loads.
Finding Loads(const ProbeProgram& program);
// Yes, if it loads and attaches to what its btf_id says: tp_btf, fentry, fmod_ret, lsm. Detached before the
// return.
Finding LoadsAndAttaches(const ProbeProgram& program, const std::string& target);

// Pure. Whether the verifier's log says that the kernel lacks, or does not allow here, a helper or a kfunc.
bool LogSaysNoSuchFunction(const std::string& log);
// Pure. The last line of a verifier log before its statistics.
std::string LastWords(const std::string& log);

}  // namespace sabot::loader

#endif  // SABOT_LOADER_PROBE_PROGRAM_H_
