// SPDX-License-Identifier: Apache-2.0
//
// Instructions for the few-instruction programs of the feature probes. Registers are BPF_REG_*.
#ifndef SABOT_LOADER_BPF_INSN_H_
#define SABOT_LOADER_BPF_INSN_H_

#include <linux/bpf.h>

#include <cstdint>

namespace sabot::loader::insn {

// to = value
constexpr bpf_insn Set(uint8_t to, int32_t value) {
  return {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = to, .imm = value};
}
// to = from
constexpr bpf_insn Copy(uint8_t to, uint8_t from) {
  return {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = to, .src_reg = from};
}
// to += value
constexpr bpf_insn Add(uint8_t to, int32_t value) {
  return {.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = to, .imm = value};
}
// to = *(u64 *)(from + offset)
constexpr bpf_insn Load(uint8_t to, uint8_t from, int16_t offset) {
  return {.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = to, .src_reg = from, .off = offset};
}
// *(u64 *)(to + offset) = value
constexpr bpf_insn Store(uint8_t to, int16_t offset, int32_t value) {
  return {.code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = to, .off = offset, .imm = value};
}
// if (left == value) skip the next `skip` instructions
constexpr bpf_insn SkipIfEqual(uint8_t left, int32_t value, int16_t skip) {
  return {.code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = left, .off = skip, .imm = value};
}
// if (left != value) skip the next `skip` instructions
constexpr bpf_insn SkipUnlessEqual(uint8_t left, int32_t value, int16_t skip) {
  return {.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = left, .off = skip, .imm = value};
}
// r0 = helper(r1, ...); `helper` is BPF_FUNC_*
constexpr bpf_insn Call(int32_t helper) { return {.code = BPF_JMP | BPF_CALL, .imm = helper}; }
// r0 = the function of the kernel with this BTF id
constexpr bpf_insn CallKernel(uint32_t btf_id) {
  return {.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_KFUNC_CALL, .imm = static_cast<int32_t>(btf_id)};
}
constexpr bpf_insn Exit() { return {.code = BPF_JMP | BPF_EXIT}; }
// The two halves of: to = the map open as `fd`
constexpr bpf_insn SetMap(uint8_t to, int fd) {
  return {.code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = to, .src_reg = BPF_PSEUDO_MAP_FD, .imm = fd};
}
constexpr bpf_insn SetMapSecondHalf() { return {}; }

}  // namespace sabot::loader::insn

#endif  // SABOT_LOADER_BPF_INSN_H_
