// SPDX-License-Identifier: Apache-2.0
#include "loader/netlink_qdisc.h"

#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_format.h"
#include "loader/netlink_link.h"
#include "loader/netlink_wire.h"
#include "loader/status.h"

namespace sabot::loader {
namespace {

WireWriter QdiscHeader(const QdiscAt& at) {
  tcmsg header{};
  header.tcm_ifindex = at.ifindex;
  header.tcm_handle = at.handle;
  header.tcm_parent = at.parent;
  return WireWriter().Struct(header);
}

WireWriter QdiscBody(const QdiscAt& at, const QdiscSpec& spec) {
  WireWriter body = QdiscHeader(at).Text(TCA_KIND, spec.kind);
  if (!spec.options.empty()) body.Attribute(TCA_OPTIONS, spec.options);
  return body;
}

std::string Describe(Netlink& netlink, const QdiscAt& at, const std::string& verb, const std::string& kind) {
  bool top = at.parent == kRootParent || at.parent == kClsactParent;
  std::string place = top ? "" : absl::StrCat(" at ", TcHandleName(at.parent));
  return absl::StrCat(verb, " qdisc ", kind, place, verb == "add" ? " to " : " of ",
                      DescribeDevice(netlink, at.ifindex));
}

// ENOENT has other meanings, too (no such parent, no such class); only the text tells. The second wording is
// that of kernels before 6.0.
bool KindUnknown(const NetlinkReply& reply) {
  return reply.error == ENOENT &&
         (reply.text == "Specified qdisc kind is unknown" || reply.text == "Specified qdisc not found");
}

absl::StatusOr<std::vector<Qdisc>> ListAll(Netlink& netlink, const std::string& attempt) {
  SABOT_ASSIGN_OR_RETURN(auto messages, netlink.Dump(RTM_GETQDISC, QdiscHeader({.parent = 0}), attempt));
  std::vector<Qdisc> qdiscs;
  for (const auto& message : messages) {
    if (std::optional<Qdisc> qdisc = ParseQdisc(message)) qdiscs.push_back(*std::move(qdisc));
  }
  return qdiscs;
}

// What occupies the place `at`: same parent; the kernel's defaults do not count.
absl::StatusOr<std::optional<Qdisc>> Occupant(Netlink& netlink, const QdiscAt& at) {
  SABOT_ASSIGN_OR_RETURN(std::vector<Qdisc> qdiscs, ListQdiscs(netlink, at.ifindex));
  for (Qdisc& qdisc : qdiscs) {
    if (qdisc.at.parent == at.parent && qdisc.at.handle != 0) return std::move(qdisc);
  }
  return std::nullopt;
}

bool Matches(const Qdisc& qdisc, const QdiscAt& at, const std::string& kind) {
  return qdisc.spec.kind == kind && (at.handle == 0 || qdisc.at.handle == at.handle);
}

QdiscStats StatsOf(const Attributes& stats2) {
  QdiscStats stats;
  auto basic = ReadPrefixOf<gnet_stats_basic>(stats2.Find(TCA_STATS_BASIC).value_or(ByteSpan()));
  auto queue = ReadPrefixOf<gnet_stats_queue>(stats2.Find(TCA_STATS_QUEUE).value_or(ByteSpan()));
  stats.bytes = basic.bytes;
  stats.packets = basic.packets;
  stats.drops = queue.drops;
  stats.requeues = queue.requeues;
  stats.overlimits = queue.overlimits;
  stats.backlog_packets = queue.qlen;
  stats.backlog_bytes = queue.backlog;
  return stats;
}

}  // namespace

std::string TcHandleName(uint32_t handle) {
  if (handle == kRootParent) return "root";
  if (handle == kClsactParent) return "clsact";
  uint32_t minor = handle & 0xFFFF;
  return minor == 0 ? absl::StrFormat("%x:", handle >> 16) : absl::StrFormat("%x:%x", handle >> 16, minor);
}

std::optional<Qdisc> ParseQdisc(std::span<const std::byte> message) {
  auto wire = ReadMessage<tcmsg>(message, RTM_NEWQDISC);
  if (!wire) return std::nullopt;
  Qdisc qdisc;
  qdisc.at = {.ifindex = wire->header.tcm_ifindex,
              .parent = wire->header.tcm_parent,
              .handle = wire->header.tcm_handle};
  qdisc.spec.kind = wire->attributes.Text(TCA_KIND);
  if (std::optional<ByteSpan> options = wire->attributes.Find(TCA_OPTIONS)) {
    qdisc.spec.options.assign(options->begin(), options->end());
  }
  qdisc.stats = StatsOf(wire->attributes.Nested(TCA_STATS2));
  return qdisc;
}

absl::StatusOr<std::vector<Qdisc>> ListQdiscs(Netlink& netlink, int ifindex) {
  SABOT_ASSIGN_OR_RETURN(Link link, FindLink(netlink, ifindex));
  SABOT_ASSIGN_OR_RETURN(std::vector<Qdisc> all, ListAll(netlink, absl::StrCat("list qdiscs of ", link.name,
                                                                               " in ", netlink.Describe())));
  std::erase_if(all, [&](const Qdisc& qdisc) { return qdisc.at.ifindex != ifindex; });
  return all;
}

absl::StatusOr<Qdisc> RootQdisc(Netlink& netlink, int ifindex) {
  SABOT_ASSIGN_OR_RETURN(std::vector<Qdisc> qdiscs, ListQdiscs(netlink, ifindex));
  for (Qdisc& qdisc : qdiscs) {
    if (qdisc.at.parent == kRootParent) return std::move(qdisc);
  }
  return absl::NotFoundError(
      absl::StrCat("find the root qdisc of ", DescribeDevice(netlink, ifindex), ": it has none"));
}

absl::Status CreateQdisc(Netlink& netlink, const QdiscAt& at, const QdiscSpec& spec) {
  std::string attempt = Describe(netlink, at, "add", spec.kind);
  SABOT_ASSIGN_OR_RETURN(NetlinkReply reply, netlink.Exchange(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL,
                                                              QdiscBody(at, spec), attempt));
  absl::Status status = ReplyStatus(reply, attempt);
  return KindUnknown(reply) ? absl::UnimplementedError(status.message()) : status;
}

absl::StatusOr<bool> EnsureQdisc(Netlink& netlink, const QdiscAt& at, const QdiscSpec& spec) {
  absl::Status created = CreateQdisc(netlink, at, spec);
  if (created.ok()) return true;
  if (!absl::IsAlreadyExists(created)) return created;
  SABOT_ASSIGN_OR_RETURN(std::optional<Qdisc> there, Occupant(netlink, at));
  if (!there) return created;
  if (Matches(*there, at, spec.kind)) return false;
  return absl::AlreadyExistsError(absl::StrCat(created.message(), "; qdisc ", there->spec.kind, " ",
                                               TcHandleName(there->at.handle), " is there"));
}

absl::StatusOr<bool> EnsureClsact(Netlink& netlink, int ifindex) {
  return EnsureQdisc(netlink, {.ifindex = ifindex, .parent = kClsactParent, .handle = kClsactHandle},
                     Clsact());
}

absl::Status ChangeQdisc(Netlink& netlink, const QdiscAt& at, const QdiscSpec& spec) {
  std::string attempt = Describe(netlink, at, "change", spec.kind);
  SABOT_ASSIGN_OR_RETURN(std::optional<Qdisc> there, Occupant(netlink, at));
  if (!there || !Matches(*there, at, spec.kind))
    return absl::NotFoundError(absl::StrCat(attempt, ": it is not there"));
  QdiscAt exact = there->at;
  return netlink.Request(RTM_NEWQDISC, 0, QdiscBody(exact, spec), attempt);
}

absl::StatusOr<bool> RemoveQdisc(Netlink& netlink, const QdiscAt& at, const std::string& kind) {
  std::string attempt = Describe(netlink, at, "remove", kind);
  if (at.handle == 0) return absl::InvalidArgumentError(absl::StrCat(attempt, ": no handle given"));
  // The kernel compares handle and kind itself, so nothing else can be hit.
  absl::Status status = netlink.Request(RTM_DELQDISC, 0, QdiscBody(at, {.kind = kind}), attempt);
  if (status.ok()) return true;
  if (!absl::IsNotFound(status) && !absl::IsInvalidArgument(status)) return status;
  absl::StatusOr<std::optional<Qdisc>> there = Occupant(netlink, at);
  if (absl::IsNotFound(there.status())) return false;  // the device has gone
  if (!there.ok()) return there.status();
  if (there->has_value() && Matches(**there, at, kind)) return status;
  return false;
}

absl::StatusOr<OwnedQdisc> OwnedQdisc::Create(std::shared_ptr<Netlink> netlink, const QdiscAt& at,
                                              const QdiscSpec& spec) {
  if (at.handle == 0)
    return absl::InvalidArgumentError(absl::StrCat("own qdisc ", spec.kind, ": no handle given"));
  SABOT_RETURN_IF_ERROR(CreateQdisc(*netlink, at, spec));
  return OwnedQdisc(std::move(netlink), at, spec.kind);
}

OwnedQdisc& OwnedQdisc::operator=(OwnedQdisc&& other) noexcept {
  if (this == &other) return *this;
  Remove().IgnoreError();
  netlink_ = std::move(other.netlink_);
  at_ = other.at_;
  kind_ = std::move(other.kind_);
  return *this;
}

OwnedQdisc::~OwnedQdisc() { Remove().IgnoreError(); }

absl::Status OwnedQdisc::Remove() {
  if (!netlink_) return absl::OkStatus();
  SABOT_RETURN_IF_ERROR(RemoveQdisc(*netlink_, at_, kind_).status());
  netlink_.reset();
  return absl::OkStatus();
}

}  // namespace sabot::loader
