// SPDX-License-Identifier: Apache-2.0
//
// The shim for x86-64. Its code is the assembler text below, which is never run in the agent: it is copied
// behind the vDSO's end together with the first instructions of the three functions, which a jump replaces.
//
// The code changes no register that a C function must keep, needs up to 80 bytes of stack beside what the
// kernel's function needs, and calls nothing else.
#if defined(__x86_64__)

#include <Zydis/Zydis.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/clock/shim.h"
#include "loader/status.h"

// clang-format off
asm(R"(
	.pushsection .rodata.sabot_shim, "a", @progbits
	.balign 32
	.globl sabot_shim_begin
sabot_shim_begin:

# int clock_gettime(clockid_t %edi, timespec *%rsi)
	.globl sabot_shim_clock_gettime
sabot_shim_clock_gettime:
	cmpl	$9, %edi
	ja	sabot_shim_old_clock_gettime
	movl	sabot_shim_data+16(%rip), %eax	# the mask
	btl	%edi, %eax
	jnc	sabot_shim_old_clock_gettime
	leal	-2(%rdi), %eax
	pushq	%rsi
	pushq	%rdi
	cmpl	$1, %eax
	jbe	1f
	pushq	%rax
	call	sabot_shim_old_clock_gettime
	popq	%rcx
	popq	%rdi
	popq	%rsi
	testl	%eax, %eax
	jne	2f
	movq	(%rsi), %rdx
	movq	8(%rsi), %rcx
	jmp	sabot_shim_add

# Processor time says nothing about when to end: CLOCK_MONOTONIC_COARSE does.
1:	subq	$24, %rsp
	movl	$6, %edi
	movq	%rsp, %rsi
	call	sabot_shim_old_clock_gettime
	movq	24(%rsp), %rdi
	movq	32(%rsp), %rsi
	call	sabot_shim_old_clock_gettime
	popq	%rdx
	popq	%rcx
	popq	%rdi
	popq	%rdi
	popq	%rsi
	testl	%eax, %eax
	je	sabot_shim_add
2:	ret

# Adds to the timespec at %rsi what the table says of clock %edi, if %rdx (s), %rcx (ns) is before the end.
sabot_shim_add:
	movl	sabot_shim_data+20(%rip), %r11d	# the sequence
	movl	%r11d, %eax
	andl	$1, %eax
	imull	$180, %eax, %eax		# sizeof(ShimTable)
	leaq	sabot_shim_data+24(%rip), %r9
	addq	%rax, %r9
	movl	%edi, %r8d
	movzbl	(%r9,%r8), %r8d			# index
	imull	$28, %r8d, %r8d			# sizeof(ShimClock)
	leaq	12(%r9,%r8), %r8
	movq	(%rsi), %r9
	movq	8(%rsi), %r10
	cmpq	(%r8), %rdx			# end_sec
	jge	5f
1:	cmpl	$0, 24(%r8)			# rate_ppb
	jne	6f
	movl	20(%r8), %eax			# offset_nsec
	addq	8(%r8), %r9			# offset_sec
	addq	%rax, %r10
2:	cmpq	$1000000000, %r10
	jl	3f
	incq	%r9
	subq	$1000000000, %r10
	jmp	2b
3:	cmpl	sabot_shim_data+20(%rip), %r11d
	jne	sabot_shim_add
	movq	%r9, (%rsi)
	movq	%r10, 8(%rsi)
	xorl	%eax, %eax
	ret
5:	jg	4f
	cmpl	16(%r8), %ecx			# end_nsec
	jb	1b
4:	cmpl	sabot_shim_data+20(%rip), %r11d
	jne	sabot_shim_add
	xorl	%eax, %eax
	ret
# A rate: nanoseconds from the end (negative), times the rate. Needs %rdx and %rcx, which hold the clock itself.
6:	movq	%rdx, %rax
	movl	16(%r8), %edx
	subq	(%r8), %rax
	subq	%rdx, %rcx
	imulq	$1000000000, %rax, %rax
	movslq	24(%r8), %rdx
	addq	%rcx, %rax
	imulq	%rdx
	movl	$1000000000, %ecx
	idivq	%rcx
	movq	(%rsi), %rdx
	movq	8(%rsi), %rcx
	addq	%rax, %r10
	movl	20(%r8), %eax
	addq	8(%r8), %r9
	addq	%rax, %r10
7:	testq	%r10, %r10
	jns	2b
	decq	%r9
	addq	$1000000000, %r10
	jmp	7b

# int gettimeofday(timeval *%rdi, timezone *%rsi)
	.globl sabot_shim_gettimeofday
sabot_shim_gettimeofday:
	testb	$1, sabot_shim_data+16(%rip)
	je	sabot_shim_old_gettimeofday
	testq	%rdi, %rdi
	je	sabot_shim_old_gettimeofday
	pushq	%rsi
	pushq	%rdi
	subq	$24, %rsp
	xorl	%edi, %edi
	movq	%rsp, %rsi
	call	sabot_shim_clock_gettime
	popq	%rcx
	popq	%rdx
	popq	%rdi
	popq	%rdi
	popq	%rsi
	testl	%eax, %eax
	jne	sabot_shim_old_gettimeofday
	imulq	$274877907, %rdx, %rdx		# / 1000
	shrq	$38, %rdx
	movq	%rcx, (%rdi)
	movq	%rdx, 8(%rdi)
	xorl	%edi, %edi
	testq	%rsi, %rsi
	jne	sabot_shim_old_gettimeofday	# for the time zone
	ret

# time_t time(time_t *%rdi). Whole seconds are added to the kernel's answer; everything else (an offset with
# a fraction, a rate, the last second) is worked out from the clock that this answer is the seconds of.
	.globl sabot_shim_time
sabot_shim_time:
	testb	$1, sabot_shim_data+16(%rip)
	je	sabot_shim_old_time
	pushq	%rdi
	xorl	%edi, %edi
	call	sabot_shim_old_time
	popq	%rdi
1:	movl	sabot_shim_data+20(%rip), %r11d
	movl	%r11d, %ecx
	andl	$1, %ecx
	imull	$180, %ecx, %ecx
	leaq	sabot_shim_data+24(%rip), %r8
	addq	%rcx, %r8
	movzbl	(%r8), %ecx
	imull	$28, %ecx, %ecx
	leaq	12(%r8,%rcx), %r8
	cmpq	(%r8), %rax
	jge	3f
	cmpq	$0, 20(%r8)			# offset_nsec and rate_ppb
	jne	3f
	movq	8(%r8), %rdx
	addq	%rax, %rdx
	cmpl	sabot_shim_data+20(%rip), %r11d
	jne	1b
	movq	%rdx, %rax
2:	testq	%rdi, %rdi
	je	4f
	movq	%rax, (%rdi)
4:	ret
3:	pushq	%rdi
	subq	$16, %rsp
	movl	$5, %edi			# CLOCK_REALTIME_COARSE
	movq	%rsp, %rsi
	call	sabot_shim_old_clock_gettime
	movq	%rsp, %rsi
	movq	(%rsi), %rdx
	movq	8(%rsi), %rcx
	xorl	%edi, %edi
	call	sabot_shim_add
	popq	%rax
	popq	%rcx
	popq	%rdi
	jmp	2b

# Filled when the shim is built: the functions' first instructions, and a jump to the rest of the function.
	.globl sabot_shim_old_clock_gettime, sabot_shim_old_gettimeofday, sabot_shim_old_time
sabot_shim_old_clock_gettime:
	.skip	20, 0xcc
sabot_shim_old_gettimeofday:
	.skip	20, 0xcc
sabot_shim_old_time:
	.skip	20, 0xcc

	.balign	8, 0xcc
	.globl sabot_shim_data, sabot_shim_end
sabot_shim_data:
	.skip	24 + 2 * 180
sabot_shim_end:
	.popsection
)");
// clang-format on

extern "C" {
extern const char sabot_shim_begin[], sabot_shim_end[], sabot_shim_data[];
extern const char sabot_shim_clock_gettime[], sabot_shim_gettimeofday[], sabot_shim_time[];
extern const char sabot_shim_old_clock_gettime[], sabot_shim_old_gettimeofday[], sabot_shim_old_time[];
}

namespace sabot::agent {
namespace {

constexpr size_t kJump = 5;      // e9 and four bytes
constexpr size_t kOldRoom = 20;  // as skipped above

struct Function {
  const char* name;
  const char* entry;  // of the shim
  const char* old;
};

const Function kFunctions[] = {
    {"__vdso_clock_gettime", sabot_shim_clock_gettime, sabot_shim_old_clock_gettime},
    {"__vdso_gettimeofday", sabot_shim_gettimeofday, sabot_shim_old_gettimeofday},
    {"__vdso_time", sabot_shim_time, sabot_shim_old_time},
};

size_t OffsetOf(const char* symbol) { return static_cast<size_t>(symbol - sabot_shim_begin); }

absl::Status NotUnderstood(std::string_view function, std::string_view what) {
  return absl::FailedPreconditionError(
      absl::StrCat("this vDSO is not understood: ", std::string(function), ": ", std::string(what)));
}

std::string Jump(size_t from, size_t to) {
  const auto distance = static_cast<int32_t>(static_cast<int64_t>(to) - static_cast<int64_t>(from + kJump));
  std::string jump(kJump, '\xe9');
  std::memcpy(jump.data() + 1, &distance, sizeof(distance));
  return jump;
}

struct Decoded {
  ZydisDecodedInstruction instruction;
  ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
  size_t offset = 0;

  // Where it jumps or calls to, if that is written in it.
  std::optional<int64_t> Target() const {
    for (int i = 0; i < instruction.operand_count; ++i) {
      const ZydisDecodedOperand& operand = operands[i];
      if (operand.type == ZYDIS_OPERAND_TYPE_IMMEDIATE && operand.imm.is_relative) {
        return static_cast<int64_t>(offset) + instruction.length + operand.imm.value.s;
      }
    }
    return std::nullopt;
  }

  bool LeavesSequence() const {
    switch (instruction.meta.category) {
      case ZYDIS_CATEGORY_CALL:
      case ZYDIS_CATEGORY_COND_BR:
      case ZYDIS_CATEGORY_UNCOND_BR:
      case ZYDIS_CATEGORY_RET:
      case ZYDIS_CATEGORY_SYSCALL:
      case ZYDIS_CATEGORY_INTERRUPT:
        return true;
      default:
        return false;
    }
  }
};

class Decoder {
 public:
  explicit Decoder(std::string_view image) : image_(image) {
    ZydisDecoderInit(&decoder_, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
  }

  std::optional<Decoded> At(size_t offset) const {
    Decoded decoded;
    decoded.offset = offset;
    const bool ok = ZYAN_SUCCESS(ZydisDecoderDecodeFull(
        &decoder_, image_.data() + offset, image_.size() - offset, &decoded.instruction, decoded.operands));
    return ok ? std::optional(decoded) : std::nullopt;
  }

 private:
  std::string_view image_;
  ZydisDecoder decoder_;
};

// The instruction's bytes, for another place in the image.
absl::StatusOr<std::string> Moved(const loader::VdsoImage& image, const Decoded& decoded, size_t to,
                                  std::string_view function) {
  if (decoded.LeavesSequence()) return NotUnderstood(function, "it begins with a jump");
  std::string bytes = image.bytes.substr(decoded.offset, decoded.instruction.length);
  if ((decoded.instruction.attributes & ZYDIS_ATTRIB_IS_RELATIVE) == 0) return bytes;
  // Relative to the instruction pointer: the same address, seen from elsewhere.
  const auto& displacement = decoded.instruction.raw.disp;
  if (displacement.size != 32) return NotUnderstood(function, "it begins with a short relative access");
  const auto moved = static_cast<int32_t>(displacement.value + static_cast<int64_t>(decoded.offset) -
                                          static_cast<int64_t>(to));
  std::memcpy(bytes.data() + displacement.offset, &moved, sizeof(moved));
  return bytes;
}

// How many bytes the instructions have that a jump at the function's begin destroys.
absl::StatusOr<size_t> PrologueSize(const Decoder& decoder, const Function& function,
                                    const loader::VdsoFunction& where) {
  size_t size = 0;
  while (size < kJump) {
    const auto decoded = decoder.At(where.offset + size);
    if (!decoded) return NotUnderstood(function.name, "its first instructions cannot be decoded");
    size += decoded->instruction.length;
    if (size > where.size) return NotUnderstood(function.name, "is too short");
  }
  return size;
}

// Nothing in the whole text may jump between the instructions that are moved away.
absl::Status CheckNoJumpsInto(const loader::VdsoImage& image, const Decoder& decoder,
                              const Function& function, size_t begin, size_t size) {
  for (const auto& [name, other] : image.functions) {
    for (size_t at = other.offset; at < other.offset + other.size;) {
      const auto decoded = decoder.At(at);
      if (!decoded) return NotUnderstood(name, "it cannot be decoded");
      const auto target = decoded->Target();
      if (target && *target > static_cast<int64_t>(begin) && *target < static_cast<int64_t>(begin + size)) {
        return NotUnderstood(function.name, "there is a jump into its first instructions");
      }
      at += decoded->instruction.length;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> MovedPrologue(const loader::VdsoImage& image, const Decoder& decoder,
                                          const Function& function, size_t from, size_t size, size_t to) {
  std::string old;
  for (size_t at = from; at < from + size;) {
    const auto decoded = decoder.At(at);
    SABOT_ASSIGN_OR_RETURN(const std::string moved, Moved(image, *decoded, to + old.size(), function.name));
    old += moved;
    at += decoded->instruction.length;
  }
  old += Jump(to + old.size(), from + size);
  if (old.size() > kOldRoom) return NotUnderstood(function.name, "its first instructions are too long");
  return old;
}

}  // namespace

absl::StatusOr<Shim> BuildShim(const loader::VdsoImage& image, uint64_t owner) {
  const size_t size = OffsetOf(sabot_shim_end);
  if (image.room() < size) {
    return absl::FailedPreconditionError(
        absl::StrCat("this vDSO leaves ", image.room(), " bytes unused, and ", size, " are needed"));
  }
  const Decoder decoder(image.bytes);
  Shim shim;
  shim.data = image.room_begin + OffsetOf(sabot_shim_data);
  shim.body = {image.room_begin, image.bytes.substr(image.room_begin, size),
               std::string(sabot_shim_begin, size)};
  for (const Function& function : kFunctions) {
    const auto found = image.functions.find(function.name);
    if (found == image.functions.end()) return NotUnderstood(function.name, "is missing");
    const size_t begin = found->second.offset;
    SABOT_ASSIGN_OR_RETURN(const size_t prologue, PrologueSize(decoder, function, found->second));
    SABOT_RETURN_IF_ERROR(CheckNoJumpsInto(image, decoder, function, begin, prologue));
    const size_t old_at = image.room_begin + OffsetOf(function.old);
    SABOT_ASSIGN_OR_RETURN(const std::string old,
                           MovedPrologue(image, decoder, function, begin, prologue, old_at));
    shim.body.changed.replace(OffsetOf(function.old), old.size(), old);
    // Bytes of the last instruction that the jump does not cover stay: nothing gets there any more.
    shim.entries.push_back({begin, image.bytes.substr(begin, prologue),
                            Jump(begin, image.room_begin + OffsetOf(function.entry)) +
                                image.bytes.substr(begin + kJump, prologue - kJump)});
  }
  ShimData data;
  std::memcpy(data.magic, kShimMagic, sizeof(data.magic));
  data.owner = owner;
  std::memcpy(shim.body.changed.data() + OffsetOf(sabot_shim_data), &data, sizeof(data));
  return shim;
}

}  // namespace sabot::agent

#endif  // defined(__x86_64__)
