// SPDX-License-Identifier: Apache-2.0
//
// The options of each kind of qdisc, as bytes. Pure.
#include <linux/pkt_sched.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "loader/netlink_qdisc.h"
#include "loader/netlink_wire.h"

namespace sabot::loader {
namespace {

constexpr uint64_t kU32Max = std::numeric_limits<uint32_t>::max();
// The kernel's packet scheduler clock ticks every 64 ns (PSCHED_SHIFT is 6) on every architecture and HZ.
constexpr uint64_t kTickNs = 64;

uint32_t Clamp32(uint64_t value) { return static_cast<uint32_t>(std::min(value, kU32Max)); }

// The 32-bit fields are what old tools show; the kernel takes the 64-bit attributes, which have nanoseconds.
uint32_t Ticks(uint64_t ns) { return Clamp32(ns / kTickNs); }

tc_netem_rate NetemRate(uint64_t bytes_per_second) { return {.rate = Clamp32(bytes_per_second)}; }

tc_ratespec RateSpec(uint64_t bytes_per_second) {
  tc_ratespec spec{};
  // With a link layer the kernel reckons by itself; without one it wants a table of 256 transmission times.
  spec.linklayer = TC_LINKLAYER_ETHERNET;
  spec.rate = Clamp32(bytes_per_second);
  return spec;
}

}  // namespace

QdiscSpec Clsact() { return {.kind = "clsact"}; }

QdiscSpec Fq(const FqOptions& options) {
  WireWriter out;
  if (options.limit_packets) out.Value(TCA_FQ_PLIMIT, *options.limit_packets);
  if (options.flow_limit_packets) out.Value(TCA_FQ_FLOW_PLIMIT, *options.flow_limit_packets);
  if (options.horizon_us) out.Value(TCA_FQ_HORIZON, *options.horizon_us);
  if (options.horizon_drop) out.Value(TCA_FQ_HORIZON_DROP, static_cast<uint8_t>(*options.horizon_drop));
  return {.kind = "fq", .options = out.bytes()};
}

QdiscSpec Prio(const PrioOptions& options) {
  tc_prio_qopt prio{};
  prio.bands = options.bands;
  std::copy(options.priomap.begin(), options.priomap.end(), prio.priomap);
  return {.kind = "prio", .options = WireWriter().Struct(prio).bytes()};
}

// Everything is always sent: what a change does not mention keeps its old value.
QdiscSpec Netem(const NetemOptions& options) {
  tc_netem_qopt netem{};
  netem.latency = Ticks(options.latency_ns);
  netem.jitter = Ticks(options.jitter_ns);
  netem.limit = options.limit_packets;
  netem.loss = options.loss;
  netem.duplicate = options.duplicate;
  // Without a gap the kernel reorders nothing.
  netem.gap = options.reorder == 0 ? 0 : std::max<uint32_t>(options.gap, 1);
  WireWriter out = WireWriter().Struct(netem);
  out.Value(TCA_NETEM_CORR, tc_netem_corr{.delay_corr = options.latency_correlation,
                                          .loss_corr = options.loss_correlation,
                                          .dup_corr = options.duplicate_correlation});
  out.Value(TCA_NETEM_REORDER,
            tc_netem_reorder{.probability = options.reorder, .correlation = options.reorder_correlation});
  out.Value(TCA_NETEM_CORRUPT,
            tc_netem_corrupt{.probability = options.corrupt, .correlation = options.corrupt_correlation});
  out.Value(TCA_NETEM_RATE, NetemRate(options.rate_bytes_per_second));
  if (options.rate_bytes_per_second > kU32Max) out.Value(TCA_NETEM_RATE64, options.rate_bytes_per_second);
  out.Value(TCA_NETEM_LATENCY64, static_cast<int64_t>(options.latency_ns));
  out.Value(TCA_NETEM_JITTER64, static_cast<int64_t>(options.jitter_ns));
  return {.kind = "netem", .options = out.bytes()};
}

uint32_t NetemProbability(double percent) {
  if (!(percent > 0)) return 0;  // NaN, too
  return static_cast<uint32_t>(std::llround(std::min(percent, 100.0) / 100.0 * static_cast<double>(kU32Max)));
}

QdiscSpec Pfifo(const PfifoOptions& options) {
  return {.kind = "pfifo",
          .options = WireWriter().Struct(tc_fifo_qopt{.limit = options.limit_packets}).bytes()};
}

QdiscSpec Tbf(const TbfOptions& options) {
  tc_tbf_qopt tbf{};
  tbf.rate = RateSpec(options.rate_bytes_per_second);
  tbf.limit = options.limit_bytes;
  if (options.peak_bytes_per_second > 0) tbf.peakrate = RateSpec(options.peak_bytes_per_second);
  WireWriter out = WireWriter().Value(TCA_TBF_PARMS, tbf);
  out.Value(TCA_TBF_BURST, options.burst_bytes);
  if (options.rate_bytes_per_second > kU32Max) out.Value(TCA_TBF_RATE64, options.rate_bytes_per_second);
  if (options.peak_bytes_per_second > 0) {
    out.Value(TCA_TBF_PBURST, options.peak_burst_bytes);
    if (options.peak_bytes_per_second > kU32Max) out.Value(TCA_TBF_PRATE64, options.peak_bytes_per_second);
  }
  return {.kind = "tbf", .options = out.bytes()};
}

}  // namespace sabot::loader
