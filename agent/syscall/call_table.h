// SPDX-License-Identifier: Apache-2.0
//
// Which system calls there are, which of them can be made to fail by which mechanism, and where that sits.
// Numbers are libseccomp's; what is here is what libseccomp cannot know. Pure; any thread.
#ifndef SABOT_AGENT_SYSCALL_CALL_TABLE_H_
#define SABOT_AGENT_SYSCALL_CALL_TABLE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bpf/abi/syscall.h"

namespace sabot::agent {

// How a system call is met. The values are the rungs' ids.
enum class CallRung { kOverride, kFmodRet, kSecurity, kCgroup };

// A call's number for 64-bit processes and for 32-bit ones; nullopt: that table has no such call.
struct CallNumbers {
  std::optional<uint32_t> native;
  std::optional<uint32_t> compat;

  bool known() const { return native || compat; }
};
CallNumbers NumbersOf(const std::string& call);

// Calls whose failure would leave the caller in a state that it cannot get out of: they never return.
bool MustNotFail(std::string_view call);

// The kernel's functions that carry the call out, of which at least one exists if the call does.
std::vector<std::string> EntryFunctions(const std::string& call, bool compat);

// One place in the security framework that a call comes through exactly once, as far as it gets.
struct SecurityHook {
  std::string_view function;  // "security_file_open"
  uint32_t number;            // for keys and programs
};
// The hooks of a call: those of them that a kernel has make it fail. Empty: there is none for it.
std::vector<SecurityHook> SecurityHooksOf(std::string_view call);

// The cgroup hook of a call; nullopt: there is none.
std::optional<sabot_hook> CgroupHookOf(std::string_view call);
// All calls that come through the hook; it cannot tell them apart.
std::vector<std::string> CallsOf(sabot_hook hook);

// Why the mechanism, on any kernel, cannot make just these calls fail; nullopt if it can. With `best_effort`
// it is enough that it can for one of them.
std::optional<std::string> CannotMeet(CallRung rung, std::span<const std::string> calls, bool best_effort);

}  // namespace sabot::agent

#endif  // SABOT_AGENT_SYSCALL_CALL_TABLE_H_
