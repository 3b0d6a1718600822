// SPDX-License-Identifier: Apache-2.0
#include "loader/attach.h"

#include <bpf/bpf.h>

#include "absl/strings/str_cat.h"
#include "loader/status.h"

namespace sabot::loader {
namespace {

// Debian 12's headers are older than tcx (kernel commit e420bed02507); they can go with bookworm.
constexpr auto kTcxIngress = static_cast<bpf_attach_type>(46);
constexpr auto kTcxEgress = static_cast<bpf_attach_type>(47);

absl::StatusOr<UniqueFd> CreateLink(int program, int target, bpf_attach_type type,
                                    const std::string& attempt) {
  const int fd = bpf_link_create(program, target, type, nullptr);
  if (fd >= 0) return UniqueFd(fd);
  return ErrnoStatus(-fd, attempt);
}

}  // namespace

const char* Name(Direction direction) { return direction == Direction::kEgress ? "egress" : "ingress"; }

absl::StatusOr<UniqueFd> AttachTcx(int program, uint32_t ifindex, Direction direction) {
  const auto type = direction == Direction::kEgress ? kTcxEgress : kTcxIngress;
  const std::string attempt = absl::StrCat("attach tcx ", Name(direction), " to device ", ifindex);
  auto link = CreateLink(program, static_cast<int>(ifindex), type, attempt);
  if (link.status().code() == absl::StatusCode::kInvalidArgument) {
    return absl::UnimplementedError(absl::StrCat(link.status().message(), " (this kernel has no tcx)"));
  }
  return link;
}

absl::StatusOr<UniqueFd> AttachCgroupSkb(int program, int cgroup, Direction direction) {
  const auto type = direction == Direction::kEgress ? BPF_CGROUP_INET_EGRESS : BPF_CGROUP_INET_INGRESS;
  return CreateLink(program, cgroup, type, absl::StrCat("attach cgroup_skb ", Name(direction)));
}

}  // namespace sabot::loader
