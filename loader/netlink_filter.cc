// SPDX-License-Identifier: Apache-2.0
#include "loader/netlink_filter.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "loader/netlink_link.h"
#include "loader/netlink_qdisc.h"
#include "loader/netlink_wire.h"
#include "loader/status.h"

namespace sabot::loader {
namespace {

constexpr char kBpfKind[] = "bpf";

// tcm_info carries the priority above and the protocol, in network order, below.
uint32_t FilterInfo(uint16_t priority, uint16_t protocol) {
  return static_cast<uint32_t>(priority) << 16 | htons(protocol);
}

WireWriter FilterHeader(const FilterAt& at, uint32_t info) {
  tcmsg header{};
  header.tcm_ifindex = at.ifindex;
  header.tcm_parent = at.parent;
  header.tcm_handle = at.handle;
  header.tcm_info = info;
  return WireWriter().Struct(header);
}

WireWriter FilterBody(const FilterAt& at, const BpfFilter& filter) {
  WireWriter options = WireWriter().Value(TCA_BPF_FD, static_cast<uint32_t>(filter.program_fd));
  options.Text(TCA_BPF_NAME, filter.name);
  if (filter.direct_action) options.Value(TCA_BPF_FLAGS, uint32_t{TCA_BPF_FLAG_ACT_DIRECT});
  if (filter.class_id != 0) options.Value(TCA_BPF_CLASSID, filter.class_id);
  WireWriter body = FilterHeader(at, FilterInfo(at.priority, ETH_P_ALL)).Text(TCA_KIND, kBpfKind);
  return body.Nested(TCA_OPTIONS, options);
}

std::string ParentName(uint32_t parent) {
  if (parent == kClsactIngress) return "clsact ingress";
  if (parent == kClsactEgress) return "clsact egress";
  return absl::StrCat("qdisc ", TcHandleName(parent));
}

std::string Describe(Netlink& netlink, const FilterAt& at, const char* verb) {
  return absl::StrCat(verb, " bpf filter with priority ", at.priority, " and handle ", at.handle, " at ",
                      ParentName(at.parent), " of ", DescribeDevice(netlink, at.ifindex));
}

bool ClassifierUnknown(const NetlinkReply& reply) {
  return reply.error == ENOENT && reply.text == "TC classifier not found";
}

// The kernel would choose a priority or a handle by itself for zeros.
absl::Status CheckExact(const FilterAt& at, const std::string& attempt) {
  if (at.priority != 0 && at.handle != 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(attempt, ": priority and handle must be given"));
}

absl::Status Put(Netlink& netlink, const FilterAt& at, const BpfFilter& filter, int flags, const char* verb) {
  std::string attempt = Describe(netlink, at, verb);
  SABOT_RETURN_IF_ERROR(CheckExact(at, attempt));
  SABOT_ASSIGN_OR_RETURN(NetlinkReply reply,
                         netlink.Exchange(RTM_NEWTFILTER, flags, FilterBody(at, filter), attempt));
  absl::Status status = ReplyStatus(reply, attempt);
  return ClassifierUnknown(reply) ? absl::UnimplementedError(status.message()) : status;
}

// Priorities belong to one kind and protocol each; the kernel calls a second one's filters an invalid
// argument.
bool PriorityTaken(Netlink& netlink, const FilterAt& at) {
  absl::StatusOr<std::vector<Filter>> filters = ListFilters(netlink, at.ifindex, at.parent);
  return filters.ok() && std::any_of(filters->begin(), filters->end(),
                                     [&](const Filter& filter) { return filter.at.priority == at.priority; });
}

absl::StatusOr<bool> IsThere(Netlink& netlink, const FilterAt& at) {
  absl::StatusOr<std::vector<Filter>> filters = ListFilters(netlink, at.ifindex, at.parent);
  if (absl::IsNotFound(filters.status())) return false;  // the device has gone
  if (!filters.ok()) return filters.status();
  for (const Filter& filter : *filters) {
    if (filter.at.priority == at.priority && filter.at.handle == at.handle && filter.kind == kBpfKind)
      return true;
  }
  return false;
}

}  // namespace

std::optional<Filter> ParseFilter(std::span<const std::byte> message) {
  auto wire = ReadMessage<tcmsg>(message, RTM_NEWTFILTER);
  if (!wire || wire->header.tcm_handle == 0) return std::nullopt;
  const tcmsg& header = wire->header;
  Filter filter;
  filter.at = {.ifindex = header.tcm_ifindex,
               .parent = header.tcm_parent,
               .priority = static_cast<uint16_t>(header.tcm_info >> 16),
               .handle = header.tcm_handle};
  filter.protocol = ntohs(static_cast<uint16_t>(header.tcm_info & 0xFFFF));
  filter.kind = wire->attributes.Text(TCA_KIND);
  if (filter.kind != kBpfKind) return filter;
  Attributes options = wire->attributes.Nested(TCA_OPTIONS);
  filter.name = options.Text(TCA_BPF_NAME);
  filter.program_id = options.Value<uint32_t>(TCA_BPF_ID).value_or(0);
  filter.direct_action = (options.Value<uint32_t>(TCA_BPF_FLAGS).value_or(0) & TCA_BPF_FLAG_ACT_DIRECT) != 0;
  return filter;
}

absl::StatusOr<std::vector<Filter>> ListFilters(Netlink& netlink, int ifindex, uint32_t parent) {
  SABOT_ASSIGN_OR_RETURN(Link link, FindLink(netlink, ifindex));
  std::string attempt =
      absl::StrCat("list filters at ", ParentName(parent), " of ", link.name, " in ", netlink.Describe());
  WireWriter request = FilterHeader({.ifindex = ifindex, .parent = parent, .handle = 0}, 0);
  SABOT_ASSIGN_OR_RETURN(auto messages, netlink.Dump(RTM_GETTFILTER, request, attempt));
  std::vector<Filter> filters;
  for (const auto& message : messages) {
    if (std::optional<Filter> filter = ParseFilter(message)) filters.push_back(*std::move(filter));
  }
  return filters;
}

absl::Status AddBpfFilter(Netlink& netlink, const FilterAt& at, const BpfFilter& filter) {
  absl::Status status = Put(netlink, at, filter, NLM_F_CREATE | NLM_F_EXCL, "add");
  if (!absl::IsInvalidArgument(status) || !PriorityTaken(netlink, at)) return status;
  return absl::AlreadyExistsError(status.message());
}

absl::Status ReplaceBpfFilter(Netlink& netlink, const FilterAt& at, const BpfFilter& filter) {
  SABOT_ASSIGN_OR_RETURN(bool there, IsThere(netlink, at));
  if (!there) return absl::NotFoundError(absl::StrCat(Describe(netlink, at, "replace"), ": it is not there"));
  return Put(netlink, at, filter, 0, "replace");
}

absl::StatusOr<bool> RemoveBpfFilter(Netlink& netlink, const FilterAt& at) {
  std::string attempt = Describe(netlink, at, "remove");
  // Zeros would mean "all of them" to the kernel.
  SABOT_RETURN_IF_ERROR(CheckExact(at, attempt));
  WireWriter body = FilterHeader(at, FilterInfo(at.priority, ETH_P_ALL)).Text(TCA_KIND, kBpfKind);
  absl::Status status = netlink.Request(RTM_DELTFILTER, 0, body, attempt);
  if (status.ok()) return true;
  // "No such filter" comes as several errnos, depending on what else is missing.
  if (!absl::IsNotFound(status) && !absl::IsInvalidArgument(status)) return status;
  SABOT_ASSIGN_OR_RETURN(bool there, IsThere(netlink, at));
  if (there) return status;
  return false;
}

absl::StatusOr<OwnedBpfFilter> OwnedBpfFilter::Create(std::shared_ptr<Netlink> netlink, const FilterAt& at,
                                                      const BpfFilter& filter) {
  SABOT_RETURN_IF_ERROR(AddBpfFilter(*netlink, at, filter));
  return OwnedBpfFilter(std::move(netlink), at);
}

OwnedBpfFilter& OwnedBpfFilter::operator=(OwnedBpfFilter&& other) noexcept {
  if (this == &other) return *this;
  Remove().IgnoreError();
  netlink_ = std::move(other.netlink_);
  at_ = other.at_;
  return *this;
}

OwnedBpfFilter::~OwnedBpfFilter() { Remove().IgnoreError(); }

absl::Status OwnedBpfFilter::Remove() {
  if (!netlink_) return absl::OkStatus();
  SABOT_RETURN_IF_ERROR(RemoveBpfFilter(*netlink_, at_).status());
  netlink_.reset();
  return absl::OkStatus();
}

}  // namespace sabot::loader
