// SPDX-License-Identifier: Apache-2.0
#include "loader/probe_finding.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace sabot::loader {
namespace {

// The kernel's internal "not supported", which reaches user space from some BPF calls.
constexpr int kENotSupp = 524;

constexpr std::pair<int, const char*> kNames[] = {{CAP_BPF, "CAP_BPF"},
                                                  {CAP_PERFMON, "CAP_PERFMON"},
                                                  {CAP_NET_ADMIN, "CAP_NET_ADMIN"},
                                                  {CAP_SYS_ADMIN, "CAP_SYS_ADMIN"}};

// Whether a driver has registered under this name. A line is a number and a name.
bool IsMiscDevice(const char* name) {
  std::ifstream devices("/proc/misc");
  std::string number, device;
  while (devices >> number >> device) {
    if (device == name) return true;
  }
  return false;
}

// The tail of a refusal: what we lack, or that we lack nothing.
std::string Lack(Capabilities needed) {
  Capabilities missing = Missing(EffectiveCapabilities(), needed);
  if (missing != 0) {
    return absl::StrCat(": needs ", CapabilityNames(missing),
                        ", which this process does not have; run as root");
  }
  if (needed == 0) return "";
  bool one = (needed & (needed - 1)) == 0;
  return absl::StrCat(" although ", CapabilityNames(needed), one ? " is held" : " are held");
}

}  // namespace

Finding DeviceFailed(const char* path, const char* misc, int error, Capabilities needed) {
  Finding finding = Failed(absl::StrCat("open ", path), error, {ENOENT, ENODEV, ENXIO}, needed);
  if (error == ENOENT && IsMiscDevice(misc)) {
    finding.reason += ", though the kernel has the device: the file is missing where this process runs";
  }
  return finding;
}

std::string ErrorText(int error) {
  return error == kENotSupp ? "Operation is not supported (ENOTSUPP)" : std::strerror(error);
}

Capabilities Missing(Capabilities effective, Capabilities needed) {
  if (effective & kSysAdmin) effective |= kBpfTracing;
  return needed & ~effective;
}

std::string CapabilityNames(Capabilities capabilities) {
  std::vector<std::string> names;
  for (const auto& [number, name] : kNames) {
    if (capabilities & Capability(number)) names.push_back(name);
  }
  return absl::StrJoin(names, " and ");
}

Capabilities EffectiveCapabilities() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[2] = {};
  if (::syscall(SYS_capget, &header, data) < 0) return 0;
  return static_cast<Capabilities>(data[1].effective) << 32 | data[0].effective;
}

Finding Denied(const std::string& attempt, int error, Capabilities needed) {
  return {Answer::kDenied, absl::StrCat(attempt, ": ", ErrorText(error), Lack(needed))};
}

Finding Failed(const std::string& attempt, int error, std::initializer_list<int> lacking,
               Capabilities needed) {
  if (std::find(lacking.begin(), lacking.end(), error) != lacking.end()) {
    return No(absl::StrCat(attempt, ": ", ErrorText(error)));
  }
  if (error == EPERM || error == EACCES) return Denied(attempt, error, needed);
  return Unknown(absl::StrCat(attempt, ": ", ErrorText(error)));
}

Finding Failed(const absl::Status& status, Capabilities needed) {
  std::string message(status.message());
  if (absl::IsUnimplemented(status)) return No(message);
  if (absl::IsPermissionDenied(status)) return {Answer::kDenied, message + Lack(needed)};
  return Unknown(message);
}

}  // namespace sabot::loader
