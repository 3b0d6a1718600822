// SPDX-License-Identifier: Apache-2.0
//
// How a probe says what it found. Pure, but for Denied(), which reads this thread's capabilities.
#ifndef SABOT_LOADER_PROBE_FINDING_H_
#define SABOT_LOADER_PROBE_FINDING_H_

#include <linux/capability.h>

#include <cstdint>
#include <initializer_list>
#include <string>

#include "absl/status/status.h"
#include "loader/probe.h"

namespace sabot::loader {

// What an attempt needs: a set of CAP_*, as the bits that /proc/PID/status shows.
using Capabilities = uint64_t;
constexpr Capabilities Capability(int number) { return Capabilities{1} << number; }
inline constexpr Capabilities kNoCapability = 0;
inline constexpr Capabilities kNetAdmin = Capability(CAP_NET_ADMIN);
inline constexpr Capabilities kSysAdmin = Capability(CAP_SYS_ADMIN);
inline constexpr Capabilities kBpf = Capability(CAP_BPF);
inline constexpr Capabilities kBpfNetwork = Capability(CAP_BPF) | Capability(CAP_NET_ADMIN);
inline constexpr Capabilities kBpfTracing = Capability(CAP_BPF) | Capability(CAP_PERFMON);

inline Finding Yes(std::string reason) { return {Answer::kYes, std::move(reason)}; }
inline Finding No(std::string reason) { return {Answer::kNo, std::move(reason)}; }
inline Finding Unknown(std::string reason) { return {Answer::kUnknown, std::move(reason)}; }
// For EPERM and EACCES: says which of `needed` this process lacks, or that it has them all.
Finding Denied(const std::string& attempt, int error, Capabilities needed);

// A system call failed. `lacking`: the errnos that mean, of this call, that the kernel lacks the feature.
Finding Failed(const std::string& attempt, int error, std::initializer_list<int> lacking,
               Capabilities needed);
// The same for what the typed functions of the loader return: kUnimplemented is "no".
Finding Failed(const absl::Status& status, Capabilities needed);

// open() of a device file failed. `misc` is its name in /proc/misc: says so where only the file is missing,
// as in many containers.
Finding DeviceFailed(const char* path, const char* misc, int error, Capabilities needed);

// strerror() that also knows the kernel's own ENOTSUPP.
std::string ErrorText(int error);

// Those of `needed` that are not in `effective`. CAP_SYS_ADMIN stands for CAP_BPF and CAP_PERFMON, as in the
// kernel.
Capabilities Missing(Capabilities effective, Capabilities needed);
// "CAP_BPF and CAP_NET_ADMIN".
std::string CapabilityNames(Capabilities capabilities);
// Those of this thread.
Capabilities EffectiveCapabilities();

}  // namespace sabot::loader

#endif  // SABOT_LOADER_PROBE_FINDING_H_
