// SPDX-License-Identifier: Apache-2.0
#include "agent/network/journalled.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "loader/netns.h"
#include "loader/status.h"

namespace sabot::agent {
namespace {

void SetNetns(const HookContext& context, sabot::v1::NetnsRef* ref) {
  ref->set_inode(context.netns->inode());
  ref->set_name(context.netns->Describe());
}

// The socket in the namespace of a deed; nullopt when that namespace is gone, and with it all that was in it.
absl::StatusOr<std::optional<loader::Netlink>> Reach(const sabot::v1::NetnsRef& ref) {
  auto netns = loader::Netns::FindByInode(ref.inode());
  if (netns.status().code() == absl::StatusCode::kNotFound) return std::nullopt;
  if (!netns.ok()) return netns.status();
  SABOT_ASSIGN_OR_RETURN(loader::Netlink netlink, loader::Netlink::Open(*netns));
  return std::optional(std::move(netlink));
}

bool StillThere(const absl::Status& status) { return status.code() != absl::StatusCode::kNotFound; }

// clsact is everybody's: it goes only when nobody has filters there.
absl::StatusOr<bool> ClsactIsEmpty(loader::Netlink& netlink, int ifindex) {
  for (uint32_t parent : {loader::kClsactEgress, loader::kClsactIngress}) {
    SABOT_ASSIGN_OR_RETURN(auto filters, loader::ListFilters(netlink, ifindex, parent));
    if (!filters.empty()) return false;
  }
  return true;
}

// Field 22 of /proc/PID/stat, behind the command name, which may hold anything.
std::optional<uint64_t> StartTime(uint32_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
  std::string text;
  if (!std::getline(file, text)) return std::nullopt;
  const size_t paren = text.rfind(')');
  if (paren == std::string::npos) return std::nullopt;
  std::istringstream rest(text.substr(paren + 1));
  std::string field;
  for (int i = 3; i <= 22; ++i) rest >> field;
  return std::strtoull(field.c_str(), nullptr, 10);
}

absl::Status UndoHelper(const sabot::v1::HelperDeed& deed) {
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, deed.pid(), 0));
  if (fd < 0) {
    return errno == ESRCH ? absl::OkStatus() : ErrnoStatus(errno, absl::StrCat("open process ", deed.pid()));
  }
  loader::UniqueFd pidfd(fd);
  if (StartTime(deed.pid()) != deed.start_time()) return absl::OkStatus();
  if (syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0) == 0 || errno == ESRCH) {
    return absl::OkStatus();
  }
  return ErrnoStatus(errno, absl::StrCat("kill helper process ", deed.pid()));
}

}  // namespace

sabot::v1::Deed QdiscDeedOf(const HookContext& context, const std::string& fault, const loader::Link& device,
                            const loader::QdiscAt& at, const std::string& kind) {
  sabot::v1::Deed deed;
  deed.set_fault_id(fault);
  auto* qdisc = deed.mutable_qdisc();
  SetNetns(context, qdisc->mutable_netns());
  qdisc->set_ifindex(device.ifindex);
  qdisc->set_device(device.name);
  qdisc->set_kind(kind);
  qdisc->set_parent(at.parent);
  qdisc->set_handle(at.handle);
  return deed;
}

sabot::v1::Deed FilterDeedOf(const HookContext& context, const std::string& fault, const loader::Link& device,
                             const loader::FilterAt& at, const std::string& program) {
  sabot::v1::Deed deed;
  deed.set_fault_id(fault);
  auto* filter = deed.mutable_filter();
  SetNetns(context, filter->mutable_netns());
  filter->set_ifindex(device.ifindex);
  filter->set_device(device.name);
  filter->set_parent(at.parent);
  filter->set_priority(at.priority);
  filter->set_handle(at.handle);
  filter->set_program(program);
  return deed;
}

absl::Status RemoveQdiscOf(loader::Netlink& netlink, const sabot::v1::QdiscDeed& deed) {
  const int ifindex = static_cast<int>(deed.ifindex());
  if (deed.kind() == "clsact") {
    auto empty = ClsactIsEmpty(netlink, ifindex);
    if (!empty.ok() && StillThere(empty.status())) return empty.status();
    if (!empty.ok() || !*empty) return absl::OkStatus();
  }
  return loader::RemoveQdisc(netlink, {ifindex, deed.parent(), deed.handle()}, deed.kind()).status();
}

absl::Status RemoveFilterOf(loader::Netlink& netlink, const sabot::v1::FilterDeed& deed) {
  const int ifindex = static_cast<int>(deed.ifindex());
  auto filters = loader::ListFilters(netlink, ifindex, deed.parent());
  if (!filters.ok()) return StillThere(filters.status()) ? filters.status() : absl::OkStatus();
  for (const loader::Filter& filter : *filters) {
    if (filter.at.priority != deed.priority() || filter.at.handle != deed.handle()) continue;
    if (filter.name != deed.program()) return absl::OkStatus();
    return loader::RemoveBpfFilter(netlink, filter.at).status();
  }
  return absl::OkStatus();
}

absl::Status UndoDeed(const sabot::v1::Deed& deed) {
  if (deed.has_helper()) return UndoHelper(deed.helper());
  if (!deed.has_qdisc() && !deed.has_filter()) {
    return absl::InvalidArgumentError("the journal names a deed that this version does not know");
  }
  SABOT_ASSIGN_OR_RETURN(auto netlink,
                         Reach(deed.has_qdisc() ? deed.qdisc().netns() : deed.filter().netns()));
  if (!netlink) return absl::OkStatus();
  return deed.has_qdisc() ? RemoveQdiscOf(*netlink, deed.qdisc()) : RemoveFilterOf(*netlink, deed.filter());
}

}  // namespace sabot::agent
