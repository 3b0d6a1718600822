// SPDX-License-Identifier: Apache-2.0
//
// Hooks that are BPF links: the kernel is their janitor.
#include <fcntl.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/network/hook.h"
#include "loader/attach.h"
#include "loader/status.h"

namespace sabot::agent {
namespace {

class LinkHook : public Hook {
 public:
  explicit LinkHook(loader::UniqueFd link) : link_(std::move(link)) {}

  absl::Status Remove() override {
    link_.Reset();
    return absl::OkStatus();
  }

 private:
  loader::UniqueFd link_;
};

absl::Status In(const HookContext& context, const std::string& device, const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat(status.message(), " (", device, " in ", context.netns->Describe(), ")"));
}

}  // namespace

absl::StatusOr<HookPtr> AttachTcxHook(const HookContext& context, const std::string&, sabot_body body,
                                      const loader::Link& device) {
  SABOT_ASSIGN_OR_RETURN(loader::UniqueFd program, context.programs.MakeEntry(body, context.lane));
  SABOT_ASSIGN_OR_RETURN(loader::ScopedNetns inside, loader::ScopedNetns::Enter(*context.netns));
  const auto direction =
      body == SABOT_BODY_INGRESS ? loader::Direction::kIngress : loader::Direction::kEgress;
  auto link = loader::AttachTcx(program.get(), device.ifindex, direction);
  if (!link.ok()) return In(context, device.name, link.status());
  return std::make_unique<LinkHook>(*std::move(link));
}

absl::StatusOr<HookPtr> AttachCgroupHook(const HookContext& context, const std::string&, sabot_body body,
                                         const std::string& cgroup) {
  SABOT_ASSIGN_OR_RETURN(loader::UniqueFd program, context.programs.MakeEntry(body, context.lane));
  loader::UniqueFd directory(open(cgroup.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return ErrnoStatus(errno, absl::StrCat("open cgroup ", cgroup));
  const auto direction =
      body == SABOT_BODY_CGROUP_INGRESS ? loader::Direction::kIngress : loader::Direction::kEgress;
  auto link = loader::AttachCgroupSkb(program.get(), directory.get(), direction);
  if (!link.ok()) {
    return absl::Status(link.status().code(),
                        absl::StrCat(link.status().message(), " (cgroup ", cgroup, ")"));
  }
  return std::make_unique<LinkHook>(*std::move(link));
}

}  // namespace sabot::agent
