// SPDX-License-Identifier: Apache-2.0
#include "controller/plan/target_spec.h"

#include <algorithm>
#include <charconv>

#include "absl/strings/ascii.h"
#include "controller/api/report.h"
#include "controller/api/str_cat.h"

namespace sabot::plan {
namespace {

using api::Quoted;
using api::StrCat;
using sabot::v1::Target;

constexpr uint32_t kMaxPid = 4194304;
constexpr size_t kMaxPath = 4095;

constexpr std::string_view kKinds[] = {"pid", "netns", "cgroup", "unit", "container"};

absl::Status Invalid(std::string_view kind, std::string_view value, std::string_view reason) {
  return absl::InvalidArgumentError(StrCat(kind, " ", Quoted(value), ": ", reason));
}

absl::Status SetPid(std::string_view value, Target& target) {
  uint32_t pid = 0;
  const char* end = value.data() + value.size();
  const auto result = std::from_chars(value.data(), end, pid);
  if (result.ec != std::errc() || result.ptr != end || pid < 1 || pid > kMaxPid) {
    return Invalid("pid", value, StrCat("must be a number from 1 to ", kMaxPid));
  }
  target.set_pid(pid);
  return absl::OkStatus();
}

// True for text that a path, and a message, can hold.
bool IsPlainText(std::string_view value) {
  return !value.empty() && value.size() <= kMaxPath && std::none_of(value.begin(), value.end(), [](char c) {
    return absl::ascii_iscntrl(static_cast<unsigned char>(c));
  });
}

bool HasDotDot(std::string_view path) {
  while (true) {
    const size_t slash = path.find('/');
    if (path.substr(0, slash) == "..") return true;
    if (slash == std::string_view::npos) return false;
    path.remove_prefix(slash + 1);
  }
}

absl::Status SetNetns(std::string_view value, Target& target) {
  const bool name = value.find('/') == std::string_view::npos && value != "." && value != "..";
  if (!IsPlainText(value) || !(name || value.front() == '/')) {
    return Invalid("netns", value, "must be a name below /run/netns or an absolute path");
  }
  target.set_netns(std::string(value));
  return absl::OkStatus();
}

absl::Status SetCgroup(std::string_view value, Target& target) {
  if (!IsPlainText(value) || HasDotDot(value)) {
    return Invalid("cgroup", value, "must be a path below the cgroup v2 mount");
  }
  target.set_cgroup(std::string(value));
  return absl::OkStatus();
}

absl::Status SetUnit(std::string_view value, Target& target) {
  const bool sound = std::all_of(value.begin(), value.end(), [](char c) {
    return absl::ascii_isalnum(c) || std::string_view(":-_.\\@").find(c) != std::string_view::npos;
  });
  const size_t dot = value.rfind('.');
  if (!sound || value.size() > 255 || dot == std::string_view::npos || dot == 0 || dot + 1 == value.size()) {
    return Invalid("unit", value,
                   "must be the name of a systemd unit with its suffix, such as nginx.service");
  }
  target.set_unit(std::string(value));
  return absl::OkStatus();
}

absl::Status SetContainer(std::string_view value, Target& target) {
  std::string_view id = value;
  if (const size_t scheme = id.find("://"); scheme != std::string_view::npos) id.remove_prefix(scheme + 3);
  const bool sound = std::all_of(id.begin(), id.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
  });
  if (!sound || id.empty() || value.size() > 255) {
    return Invalid("container", value, "must be a container id as the runtime prints it");
  }
  target.set_container(std::string(value));
  return absl::OkStatus();
}

absl::Status SetKind(std::string_view kind, std::string_view value, Target& target) {
  if (kind == "pid") return SetPid(value, target);
  if (kind == "netns") return SetNetns(value, target);
  if (kind == "cgroup") return SetCgroup(value, target);
  if (kind == "unit") return SetUnit(value, target);
  if (kind == "container") return SetContainer(value, target);
  return absl::InvalidArgumentError(
      StrCat(Quoted(kind), " is no kind of target; known: pid, netns, cgroup, unit, container"));
}

}  // namespace

absl::Span<const std::string_view> TargetKinds() { return kKinds; }

absl::StatusOr<Target> MakeTarget(const std::string& name, std::string_view kind, std::string_view value) {
  Target target;
  target.set_name(name);
  if (absl::Status status = SetKind(kind, value, target); !status.ok()) return status;
  return target;
}

}  // namespace sabot::plan
