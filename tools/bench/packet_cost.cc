// SPDX-License-Identifier: Apache-2.0
//
// What a packet pays for passing our program at a device: BPF_PROG_TEST_RUN of the egress hook beside that of
// an empty program, interleaved, medians. Needs root; touches nothing.
#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "agent/network/prefix_table.h"
#include "loader/clock.h"
#include "loader/network_programs.h"
#include "loader/status.h"

namespace sabot {
namespace {

using loader::NetworkPrograms;
using loader::Prefix;

constexpr int kRounds = 15;
constexpr int kRepeat = 400'000;
constexpr int kRules = 10;
constexpr int kPrefixesPerRule = 1000;
constexpr double kBoundNs = 40;

std::vector<uint8_t> Packet(bool v6, const std::vector<uint8_t>& destination) {
  std::vector<uint8_t> packet(14 + 40 + 64, 0);
  packet[12] = v6 ? 0x86 : 0x08;
  packet[13] = v6 ? 0xdd : 0x00;
  packet[14] = v6 ? 0x60 : 0x45;
  std::copy(destination.begin(), destination.end(), packet.begin() + 14 + (v6 ? 24 : 16));
  return packet;
}

absl::StatusOr<double> NsPerRun(int program, std::vector<uint8_t> packet) {
  LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet.data(),
              .data_size_in = static_cast<uint32_t>(packet.size()), .repeat = kRepeat);
  const int error = bpf_prog_test_run_opts(program, &options);
  if (error != 0) return ErrnoStatus(-error, "BPF_PROG_TEST_RUN");
  return static_cast<double>(options.duration);
}

absl::StatusOr<loader::UniqueFd> EmptyProgram() {
  const bpf_insn code[] = {
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = -1},
      {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
  };
  const int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "bench_empty", "GPL", code, 2, nullptr);
  if (fd < 0) return ErrnoStatus(-fd, "load an empty program");
  return loader::UniqueFd(fd);
}

// Below 10.0.0.0/8 or fd00::/16: whole addresses, or prefixes of 20 to 31 (48 to 127) bits.
Prefix RandomPrefix(std::mt19937& rng, bool v6, bool host) {
  Prefix prefix = {.v6 = v6};
  for (uint8_t& byte : prefix.address) byte = static_cast<uint8_t>(rng());
  prefix.address[0] = v6 ? 0xfd : 10;
  if (v6) prefix.address[1] = 0;
  prefix.length = static_cast<uint8_t>(host ? (v6 ? 128 : 32) : v6 ? 48 + rng() % 80 : 20 + rng() % 12);
  for (size_t bit = prefix.length; bit < 128; ++bit) prefix.address[bit / 8] &= ~(0x80 >> bit % 8);
  return prefix;
}

absl::Status FillLane(NetworkPrograms& programs, uint32_t index, bool hosts, std::mt19937& rng) {
  agent::PrefixTable table;
  agent::PrefixTable::Changes changes;
  std::map<Prefix, uint64_t> host_rules;
  for (int rule = 0; rule < kRules; ++rule) {
    std::vector<Prefix> prefixes;
    for (int i = 0; i < kPrefixesPerRule; ++i) prefixes.push_back(RandomPrefix(rng, i % 2 == 1, hosts));
    changes = table.Set(rule, prefixes);
    for (const auto& [host, of_host] : changes.hosts) host_rules[host] = of_host;
    programs.rules()[rule] = {
        .end_ns = UINT64_MAX, .delay_ns = 0, .chance = 0, .ifindex = 0, .ordinal = 0, .silent = 0};
    programs.lanes()[index].rule[rule] = rule;
  }
  for (const auto& [host, of_host] : host_rules) {
    SABOT_RETURN_IF_ERROR(programs.SetHost(index, host, of_host));
  }
  if (changes.nets4) SABOT_RETURN_IF_ERROR(programs.SetNets(index, false, *changes.nets4));
  if (changes.nets6) SABOT_RETURN_IF_ERROR(programs.SetNets(index, true, *changes.nets6));
  sabot_lane& lane = programs.lanes()[index];
  const uint64_t all = (1ull << kRules) - 1;
  loader::Store(hosts ? lane.hosts4 : lane.nets4, all);
  loader::Store(hosts ? lane.hosts6 : lane.nets6, all);
  loader::Store(lane.duty[SABOT_DROP_EGRESS], all);
  return absl::OkStatus();
}

double Median(std::vector<double>& values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

struct Case {
  const char* name;
  uint32_t lane;
  std::vector<uint8_t> packet;
};

// Prints one line.
absl::Status Measure(NetworkPrograms& programs, int empty, const Case& one) {
  SABOT_ASSIGN_OR_RETURN(loader::UniqueFd entry, programs.MakeEntry(SABOT_BODY_EGRESS, one.lane));
  std::vector<double> floor, with, cost;
  for (int round = 0; round < kRounds; ++round) {
    SABOT_ASSIGN_OR_RETURN(const double without, NsPerRun(empty, one.packet));
    SABOT_ASSIGN_OR_RETURN(const double hooked, NsPerRun(entry.get(), one.packet));
    floor.push_back(without);
    with.push_back(hooked);
    cost.push_back(hooked - without);
  }
  const double paid = Median(cost);
  std::printf("%-48s %9.0f %9.0f %9.0f  %s\n", one.name, Median(floor), Median(with), paid,
              paid <= kBoundNs ? "ok" : "ABOVE THE BOUND");
  SABOT_ASSIGN_OR_RETURN(const sabot_seen seen, programs.Seen(one.lane));
  if (seen.packets[SABOT_BODY_EGRESS] % (uint64_t{kRounds} * kRepeat) != 0 ||
      seen.packets[SABOT_BODY_EGRESS] == 0) {
    return absl::InternalError("the program did not see each packet once");
  }
  return absl::OkStatus();
}

absl::Status Run() {
  constexpr uint32_t kHosts = 0, kNets = 1;
  SABOT_ASSIGN_OR_RETURN(auto programs,
                         NetworkPrograms::Create({.lanes = 2, .rules = kRules, .hosts = 20'000}));
  SABOT_ASSIGN_OR_RETURN(loader::UniqueFd empty, EmptyProgram());
  std::mt19937 rng(1);
  SABOT_RETURN_IF_ERROR(FillLane(*programs, kHosts, true, rng));
  SABOT_RETURN_IF_ERROR(FillLane(*programs, kNets, false, rng));
  programs->SetLease(UINT64_MAX);

  const Case cases[] = {
      {"IPv4, peers are addresses", kHosts, Packet(false, {10, 77, 3, 9})},
      {"IPv6, peers are addresses", kHosts, Packet(true, {0xfd, 0x00, 0x12, 0x34})},
      {"IPv4, peers are prefixes, none near", kNets, Packet(false, {192, 0, 2, 1})},
      {"IPv6, peers are prefixes, none near", kNets, Packet(true, {0x20, 0x01, 0x0d, 0xb8})},
      {"IPv4, peers are prefixes, packet among them", kNets, Packet(false, {10, 77, 3, 9})},
      {"IPv6, peers are prefixes, packet among them", kNets, Packet(true, {0xfd, 0x00, 0x12, 0x34})},
  };
  std::printf("%d rules, %d peers, none matches; median of %d rounds of %d runs; bound %.0f ns\n", kRules,
              kRules * kPrefixesPerRule, kRounds, kRepeat, kBoundNs);
  std::printf("%-48s %9s %9s %9s\n", "packet", "empty ns", "sabot ns", "cost ns");
  for (const Case& one : cases) SABOT_RETURN_IF_ERROR(Measure(*programs, empty.get(), one));
  return absl::OkStatus();
}

}  // namespace
}  // namespace sabot

int main() {
  const absl::Status measured = sabot::Run();
  if (measured.ok()) return 0;
  std::fprintf(stderr, "packet_cost: %s\n", std::string(measured.message()).c_str());
  return 1;
}
