// SPDX-License-Identifier: Apache-2.0
//
// SyscallChaos (sabot.dev/v1alpha1), a kind of our own: system calls of containers that fail. Plain values;
// all of it has been validated when it comes out of ParseManifests().
#ifndef SABOT_CONTROLLER_API_SYSCALL_CHAOS_H_
#define SABOT_CONTROLLER_API_SYSCALL_CHAOS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/api/sabot_options.h"
#include "controller/api/selector.h"

namespace sabot::api {

enum class SyscallAction { kErrno };

enum class ArgumentOperator { kEqual, kNotEqual, kLess, kGreater, kHasBits };

// `args`: a condition on an argument of the call.
struct ArgumentCondition {
  int64_t index = 0;  // 0 to 5
  ArgumentOperator op = ArgumentOperator::kEqual;
  // As written: decimal or 0x..., a sign only with == and !=.
  std::string value;
  uint64_t number = 0;  // the value, of `width` bits
  int width = 64;       // 32 or 64; defaulted to 32 for negative values
};

struct SyscallChaosSpec {
  PodSelector source;  // `selector`, `mode`, `value`
  std::vector<std::string> container_names;
  SyscallAction action = SyscallAction::kErrno;
  std::vector<std::string> syscalls;  // names, and groups as "%file"
  int error = 0;                      // `errno`, by name or number
  int64_t percent = 100;
  int64_t skip = 0;   // so many matching calls pass first
  int64_t times = 0;  // so many are hit at most; 0: no limit
  std::vector<ArgumentCondition> args;

  std::string duration;  // a Go duration; empty: until it is stopped
  std::string remote_cluster;
  SabotOptions sabot;
};

// The system calls of a group, in no order; empty if there is no such group. "%file": that take a path, or
// work on an open file; "%network": on sockets; "%memory": on the caller's memory.
std::vector<std::string> SyscallGroup(std::string_view name);
// "%file", "%memory", "%network".
std::vector<std::string> SyscallGroups();

}  // namespace sabot::api

#endif  // SABOT_CONTROLLER_API_SYSCALL_CHAOS_H_
