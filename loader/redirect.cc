// SPDX-License-Identifier: Apache-2.0
#include "loader/redirect.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "absl/strings/str_cat.h"
#include "loader/status.h"

namespace sabot::loader {

absl::StatusOr<UniqueFd> LoadRedirect(uint32_t ifindex) {
  const bpf_insn code[] = {
      {.code = BPF_ALU64 | BPF_MOV | BPF_K,
       .dst_reg = 1,
       .src_reg = 0,
       .off = 0,
       .imm = static_cast<int>(ifindex)},
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .src_reg = 0, .off = 0, .imm = 0},
      {.code = BPF_JMP | BPF_CALL, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = BPF_FUNC_redirect},
      {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
  };
  const int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "sabot_return", "GPL", code, 4, nullptr);
  if (fd < 0) return ErrnoStatus(-fd, absl::StrCat("load BPF program sabot_return for device ", ifindex));
  return UniqueFd(fd);
}

}  // namespace sabot::loader
