// SPDX-License-Identifier: Apache-2.0
//
// Probes of tc and its qdiscs: on the loopback device of a throw-away namespace.
#include <bpf/bpf.h>
#include <linux/pkt_sched.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "loader/bpf_insn.h"
#include "loader/netlink_filter.h"
#include "loader/netlink_qdisc.h"
#include "loader/netlink_wire.h"
#include "loader/probe_context.h"
#include "loader/probe_list.h"
#include "loader/probe_program.h"

namespace sabot::loader {
namespace {

using namespace insn;

// BPF_TCX_INGRESS, from kernel commit e420bed02507 (6.6); the headers that we build with are older.
constexpr auto kTcxIngress = static_cast<bpf_attach_type>(46);
constexpr int kNoDevice = 0x7fffffff;

// TC_ACT_OK, which is SK_DROP too; the programs are never run.
constexpr bpf_insn kReturnZero[] = {Set(BPF_REG_0, 0), Exit()};
constexpr ProbeProgram kTcProgram{
    .what = "a tc program", .type = BPF_PROG_TYPE_SCHED_CLS, .code = kReturnZero, .needed = kBpfNetwork};

// Every helper that bpf/network.bpf.c calls, but bpf_loop. Never run.
constexpr bpf_insn kTcHelpers[] = {
    Copy(BPF_REG_6, BPF_REG_1),
    Call(BPF_FUNC_ktime_get_ns),
    Call(BPF_FUNC_ktime_get_boot_ns),
    Call(BPF_FUNC_get_prandom_u32),
    // skb_load_bytes_relative(skb, 0, fp - 8, 8, BPF_HDR_START_NET)
    Copy(BPF_REG_1, BPF_REG_6),
    Set(BPF_REG_2, 0),
    Copy(BPF_REG_3, BPF_REG_10),
    Add(BPF_REG_3, -8),
    Set(BPF_REG_4, 8),
    Set(BPF_REG_5, BPF_HDR_START_NET),
    Call(BPF_FUNC_skb_load_bytes_relative),
    // skb_store_bytes(skb, 0, fp - 8, 8, 0)
    Store(BPF_REG_10, -8, 0),
    Copy(BPF_REG_1, BPF_REG_6),
    Set(BPF_REG_2, 0),
    Copy(BPF_REG_3, BPF_REG_10),
    Add(BPF_REG_3, -8),
    Set(BPF_REG_4, 8),
    Set(BPF_REG_5, 0),
    Call(BPF_FUNC_skb_store_bytes),
    // skb_set_tstamp(skb, 0, BPF_SKB_TSTAMP_UNSPEC)
    Copy(BPF_REG_1, BPF_REG_6),
    Set(BPF_REG_2, 0),
    Set(BPF_REG_3, 0),
    Call(BPF_FUNC_skb_set_tstamp),
    // skb_change_head(skb, 14, 0)
    Copy(BPF_REG_1, BPF_REG_6),
    Set(BPF_REG_2, 14),
    Set(BPF_REG_3, 0),
    Call(BPF_FUNC_skb_change_head),
    // clone_redirect(skb, 1, 0)
    Copy(BPF_REG_1, BPF_REG_6),
    Set(BPF_REG_2, 1),
    Set(BPF_REG_3, 0),
    Call(BPF_FUNC_clone_redirect),
    // redirect(1, 0)
    Set(BPF_REG_1, 1),
    Set(BPF_REG_2, 0),
    Call(BPF_FUNC_redirect),
    Set(BPF_REG_0, 0),
    Exit(),
};

QdiscAt LoopbackRoot() { return {.ifindex = kLoopback, .handle = TcHandle(1, 0)}; }

// Yes, if the qdisc can be made.
Finding ProbeQdisc(const QdiscSpec& spec) {
  absl::StatusOr<ThrowAwayNetns> place = ThrowAwayNetns::Create();
  if (!place.ok()) return Failed(place.status(), kSysAdmin);
  absl::Status status = CreateQdisc(place->netlink, LoopbackRoot(), spec);
  if (!status.ok()) return Failed(status, kNetAdmin);
  return Yes(absl::StrCat("qdisc ", spec.kind, " was made on a loopback device"));
}

}  // namespace

Finding ProbeTc(ProbeContext& context) {
  Finding helpers = Loads({.what = "a tc program that calls what network faults call",
                           .type = BPF_PROG_TYPE_SCHED_CLS,
                           .code = kTcHelpers,
                           .needed = kBpfNetwork});
  if (helpers.answer != Answer::kYes) return helpers;
  Finding loop = ProbeBpfLoop(context);
  return loop.answer == Answer::kYes ? helpers : loop;
}

// A link that is really made takes a grace period of the kernel to go again; a kernel that has tcx looks for
// the device before it makes one.
Finding ProbeTcx(ProbeContext&) {
  LoadResult program = LoadProgram(kTcProgram);
  if (!program.ok()) return LoadFailed(kTcProgram, program);
  UniqueFd link(::bpf_link_create(program.fd.get(), kNoDevice, kTcxIngress, nullptr));
  if (link.valid()) return Unknown("a tcx link was made to a device that is not there");
  if (errno == ENODEV) return Yes("a tcx link to a device that is not there is refused for that reason");
  return Failed("attach a tcx link", errno, {EINVAL}, kBpfNetwork);
}

Finding ProbeClsact(ProbeContext&) {
  absl::StatusOr<ThrowAwayNetns> place = ThrowAwayNetns::Create();
  if (!place.ok()) return Failed(place.status(), kSysAdmin);
  absl::StatusOr<bool> made = EnsureClsact(place->netlink, kLoopback);
  if (!made.ok()) return Failed(made.status(), kNetAdmin);
  return Yes("qdisc clsact was made on a loopback device");
}

Finding ProbeClsBpfDirectAction(ProbeContext&) {
  LoadResult program = LoadProgram(kTcProgram);
  if (!program.ok()) return LoadFailed(kTcProgram, program);
  absl::StatusOr<ThrowAwayNetns> place = ThrowAwayNetns::Create();
  if (!place.ok()) return Failed(place.status(), kSysAdmin);
  absl::StatusOr<bool> made = EnsureClsact(place->netlink, kLoopback);
  if (!made.ok()) return Failed(made.status(), kNetAdmin);
  FilterAt at{.ifindex = kLoopback, .parent = kClsactEgress, .priority = 1};
  absl::Status added =
      AddBpfFilter(place->netlink, at, {.program_fd = program.fd.get(), .name = "sabot_probe"});
  if (!added.ok()) return Failed(added, kNetAdmin);
  return Yes("a direct-action bpf filter was added to a loopback device");
}

Finding ProbeSkLookup(ProbeContext&) {
  constexpr bpf_insn kPass[] = {Set(BPF_REG_0, SK_PASS), Exit()};
  const ProbeProgram program{.what = "an sk_lookup program",
                             .type = BPF_PROG_TYPE_SK_LOOKUP,
                             .code = kPass,
                             .attach_type = BPF_SK_LOOKUP,
                             .needed = kBpfNetwork};
  LoadResult loaded = LoadProgram(program);
  if (!loaded.ok()) return LoadFailed(program, loaded);
  absl::StatusOr<ThrowAwayNetns> place = ThrowAwayNetns::Create();
  if (!place.ok()) return Failed(place.status(), kSysAdmin);
  UniqueFd link(::bpf_link_create(loaded.fd.get(), place->netns.fd(), BPF_SK_LOOKUP, nullptr));
  if (link.valid()) return Yes("an sk_lookup program was attached to a namespace");
  return Failed("attach an sk_lookup program to a namespace", errno, {EINVAL}, kBpfNetwork);
}

Finding ProbeFq(ProbeContext&) { return ProbeQdisc(Fq({.limit_packets = 1000, .flow_limit_packets = 100})); }
Finding ProbeNetem(ProbeContext&) { return ProbeQdisc(Netem({.latency_ns = 1'000'000})); }
Finding ProbePrio(ProbeContext&) { return ProbeQdisc(Prio({.bands = 3})); }
Finding ProbeTbf(ProbeContext&) {
  return ProbeQdisc(Tbf({.rate_bytes_per_second = 1'000'000, .burst_bytes = 70'000, .limit_bytes = 100'000}));
}

// Kernels without the attribute ignore it, so it is read back.
Finding ProbeFqHorizon(ProbeContext&) {
  constexpr uint32_t kHorizonUs = 7'000'000;
  absl::StatusOr<ThrowAwayNetns> place = ThrowAwayNetns::Create();
  if (!place.ok()) return Failed(place.status(), kSysAdmin);
  absl::Status made = CreateQdisc(place->netlink, LoopbackRoot(), Fq({.horizon_us = kHorizonUs}));
  if (!made.ok()) return Failed(made, kNetAdmin);
  absl::StatusOr<Qdisc> root = RootQdisc(place->netlink, kLoopback);
  if (!root.ok()) return Failed(root.status(), kNetAdmin);
  if (Attributes(root->spec.options).Value<uint32_t>(TCA_FQ_HORIZON) == kHorizonUs) {
    return Yes("qdisc fq took a horizon of 7 s");
  }
  return No("qdisc fq ignored a horizon of 7 s");
}

}  // namespace sabot::loader
