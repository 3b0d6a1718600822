// SPDX-License-Identifier: Apache-2.0
#include "loader/network_programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <cstddef>
#include <cstring>
#include <random>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "loader/status.h"
#include "network.skel.h"

namespace sabot::loader {
namespace {

struct BodyFacts {
  const char* entry_name;
  bpf_prog_type type;
  bpf_attach_type attach;
  int pass;  // what an entry answers when the body is gone
};

constexpr auto kNoAttachType = static_cast<bpf_attach_type>(0);

// In the order of sabot_body.
constexpr BodyFacts kBodies[SABOT_BODIES] = {
    {"sabot_egress", BPF_PROG_TYPE_SCHED_CLS, kNoAttachType, TC_ACT_UNSPEC},
    {"sabot_ingress", BPF_PROG_TYPE_SCHED_CLS, kNoAttachType, TC_ACT_UNSPEC},
    {"sabot_copy", BPF_PROG_TYPE_SCHED_CLS, kNoAttachType, TC_ACT_UNSPEC},
    {"sabot_pacer", BPF_PROG_TYPE_SCHED_CLS, kNoAttachType, TC_ACT_UNSPEC},
    {"sabot_edt", BPF_PROG_TYPE_SCHED_CLS, kNoAttachType, TC_ACT_UNSPEC},
    {"sabot_netem", BPF_PROG_TYPE_SCHED_CLS, kNoAttachType, 0},
    {"sabot_cg_egress", BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, 1},
    {"sabot_cg_ingres", BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_INGRESS, 1},
};

bpf_program* BodyProgram(const network_bpf& skeleton, int body) {
  switch (body) {
    case SABOT_BODY_EGRESS:
      return skeleton.progs.tc__network_egress;
    case SABOT_BODY_INGRESS:
      return skeleton.progs.tc__network_ingress;
    case SABOT_BODY_COPY:
      return skeleton.progs.tc__network_copy;
    case SABOT_BODY_PACER:
      return skeleton.progs.tc__network_pacer;
    case SABOT_BODY_EDT:
      return skeleton.progs.clsact__network_edt;
    case SABOT_BODY_NETEM:
      return skeleton.progs.prio__network_netem;
    case SABOT_BODY_CGROUP_EGRESS:
      return skeleton.progs.cgroup_skb__network_egress;
    default:
      return skeleton.progs.cgroup_skb__network_ingress;
  }
}

int BodyArray(const network_bpf& skeleton, int body) {
  if (body == SABOT_BODY_CGROUP_EGRESS) return bpf_map__fd(skeleton.maps.sabot_cg_out);
  if (body == SABOT_BODY_CGROUP_INGRESS) return bpf_map__fd(skeleton.maps.sabot_cg_in);
  return bpf_map__fd(skeleton.maps.sabot_tc);
}

// libbpf prints on standard error by default; what matters comes back as an error.
int Silent(libbpf_print_level, const char*, va_list) { return 0; }

template <typename Host>
Host HostKey(uint32_t lane, const Prefix& prefix) {
  Host key = {.lane = lane, .address = {}};
  std::memcpy(key.address, prefix.address.data(), sizeof(key.address));
  return key;
}

bpf_insn Insn(uint8_t code, uint8_t dst, uint8_t src, int16_t off, int32_t imm) {
  return {.code = code, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm};
}

}  // namespace

void NetworkPrograms::Close::operator()(network_bpf* skeleton) const { network_bpf__destroy(skeleton); }

const char* NetworkPrograms::EntryName(sabot_body body) { return kBodies[body].entry_name; }

absl::StatusOr<NetworkPrograms::Skeleton> NetworkPrograms::LoadMaps(Limits limits) {
  libbpf_set_print(Silent);
  Skeleton skeleton(network_bpf__open());
  if (skeleton == nullptr) return ErrnoStatus(errno, "open BPF object network");
  bpf_map__set_max_entries(skeleton->maps.sabot_lanes, limits.lanes);
  bpf_map__set_max_entries(skeleton->maps.sabot_seens, limits.lanes);
  bpf_map__set_max_entries(skeleton->maps.sabot_hosts4, limits.hosts);
  bpf_map__set_max_entries(skeleton->maps.sabot_hosts6, limits.hosts);
  bpf_map__set_max_entries(skeleton->maps.sabot_rules, limits.rules);
  bpf_map__set_max_entries(skeleton->maps.sabot_counts, limits.rules);
  bpf_map__set_max_entries(skeleton->maps.sabot_dices, limits.rules);
  for (int body = 0; body < SABOT_BODIES; ++body)
    bpf_program__set_autoload(BodyProgram(*skeleton, body), false);
  const int error = network_bpf__load(skeleton.get());
  if (error != 0) return ErrnoStatus(-error, "load BPF object network");
  return skeleton;
}

// A second opening of the same object, with the maps of the first one and this body alone; the program array
// holds the program from then on.
absl::Status NetworkPrograms::Load(sabot_body body) {
  if (loaded_[body]) return absl::OkStatus();
  const std::string attempt = absl::StrCat("load BPF program ", kBodies[body].entry_name);
  Skeleton one(network_bpf__open());
  if (one == nullptr) return ErrnoStatus(errno, attempt);
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, one->obj) {
    const bpf_map* shared = bpf_object__find_map_by_name(skeleton_->obj, bpf_map__name(map));
    const int error = bpf_map__reuse_fd(map, bpf_map__fd(shared));
    if (error != 0) return ErrnoStatus(-error, absl::StrCat(attempt, ": share map ", bpf_map__name(map)));
  }
  for (int other = 0; other < SABOT_BODIES; ++other) {
    bpf_program__set_autoload(BodyProgram(*one, other), other == body);
  }
  const int error = network_bpf__load(one.get());
  if (error != 0) return ErrnoStatus(-error, attempt);
  const uint32_t slot = body;
  const int program = bpf_program__fd(BodyProgram(*one, body));
  if (bpf_map_update_elem(BodyArray(*skeleton_, body), &slot, &program, BPF_ANY) != 0) {
    return ErrnoStatus(errno, absl::StrCat(attempt, " into its program array"));
  }
  loaded_[body] = true;
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<NetworkPrograms>> NetworkPrograms::Create(Limits limits) {
  SABOT_ASSIGN_OR_RETURN(Skeleton skeleton, LoadMaps(limits));
  const auto& maps = skeleton->maps;
  SABOT_ASSIGN_OR_RETURN(auto lanes, MappedArray<sabot_lane>::Create(bpf_map__fd(maps.sabot_lanes),
                                                                     limits.lanes, "sabot_lanes"));
  SABOT_ASSIGN_OR_RETURN(auto rules, MappedArray<sabot_rule>::Create(bpf_map__fd(maps.sabot_rules),
                                                                     limits.rules, "sabot_rules"));
  SABOT_ASSIGN_OR_RETURN(
      auto heartbeats,
      MappedArray<uint64_t>::Create(bpf_map__fd(maps.sabot_heartbeats),
                                    bpf_map__max_entries(maps.sabot_heartbeats), "sabot_heartbeats"));
  return std::unique_ptr<NetworkPrograms>(
      new NetworkPrograms(std::move(skeleton), std::move(lanes), std::move(rules), std::move(heartbeats)));
}

NetworkPrograms::NetworkPrograms(Skeleton skeleton, MappedArray<sabot_lane> lanes,
                                 MappedArray<sabot_rule> rules, MappedArray<uint64_t> heartbeats)
    : skeleton_(std::move(skeleton)),
      lanes_(std::move(lanes)),
      rules_(std::move(rules)),
      heartbeats_(std::move(heartbeats)),
      counts_(bpf_map__fd(skeleton_->maps.sabot_counts), "sabot_counts"),
      seens_(bpf_map__fd(skeleton_->maps.sabot_seens), "sabot_seens"),
      dices_(bpf_map__fd(skeleton_->maps.sabot_dices), "sabot_dices"),
      hosts4_(bpf_map__fd(skeleton_->maps.sabot_hosts4), "sabot_hosts4"),
      hosts6_(bpf_map__fd(skeleton_->maps.sabot_hosts6), "sabot_hosts6"),
      cells_(bpf_map__fd(skeleton_->maps.sabot_trees)),
      pacers_(bpf_map__fd(skeleton_->maps.sabot_pacers), "sabot_pacers") {}

NetworkPrograms::~NetworkPrograms() = default;

void NetworkPrograms::SetLease(uint64_t boottime_ns) {
  __atomic_store_n(&skeleton_->bss->sabot_lease_ns, boottime_ns, __ATOMIC_SEQ_CST);
}

absl::StatusOr<UniqueFd> NetworkPrograms::MakeEntry(sabot_body body, uint32_t lane) {
  SABOT_RETURN_IF_ERROR(Load(body));
  const BodyFacts& facts = kBodies[body];
  const auto cb = static_cast<int16_t>(offsetof(__sk_buff, cb));
  const bpf_insn code[] = {
      Insn(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_2, 0, 0, static_cast<int32_t>(lane)),
      Insn(BPF_STX | BPF_MEM | BPF_W, BPF_REG_1, BPF_REG_2, cb, 0),
      Insn(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_2, BPF_PSEUDO_MAP_FD, 0, BodyArray(*skeleton_, body)),
      Insn(0, 0, 0, 0, 0),
      Insn(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, body),
      Insn(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_tail_call),
      Insn(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, facts.pass),
      Insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
  };
  LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = facts.attach);
  const int fd =
      bpf_prog_load(facts.type, facts.entry_name, "GPL", code, sizeof(code) / sizeof(code[0]), &options);
  if (fd < 0) return ErrnoStatus(-fd, absl::StrCat("load BPF program ", facts.entry_name));
  return UniqueFd(fd);
}

absl::Status NetworkPrograms::SetHost(uint32_t lane, const Prefix& host, uint64_t rules) {
  return host.v6 ? hosts6_.Set(HostKey<sabot_host6>(lane, host), rules)
                 : hosts4_.Set(HostKey<sabot_host4>(lane, host), rules);
}

absl::Status NetworkPrograms::EraseHost(uint32_t lane, const Prefix& host) {
  return host.v6 ? hosts6_.Erase(HostKey<sabot_host6>(lane, host))
                 : hosts4_.Erase(HostKey<sabot_host4>(lane, host));
}

absl::Status NetworkPrograms::SetNets(uint32_t lane, bool v6, std::span<const PrefixRules> nets) {
  std::vector<uint32_t> cells;
  SABOT_ASSIGN_OR_RETURN(const uint32_t root, cells_.Build(nets, cells));
  Store(v6 ? lanes_[lane].root6 : lanes_[lane].root4, root);
  cells_.Retire(std::exchange(trees_[{lane, v6}], std::move(cells)));
  return absl::OkStatus();
}

absl::Status NetworkPrograms::ShakeDice(uint32_t rule) {
  // What a full correlation repeats for ever is as random as every roll.
  std::random_device random;
  return dices_.Set(rule, {.next_ns = 0,
                           .peak_next_ns = 0,
                           .last = random(),
                           .last_reorder = random(),
                           .since_reorder = 0,
                           .unused = 0});
}

absl::Status NetworkPrograms::SetPacer(uint32_t lane, uint32_t ifindex, sabot_pacer pacer) {
  return pacers_.Set({.lane = lane, .ifindex = ifindex}, pacer);
}

absl::Status NetworkPrograms::ErasePacer(uint32_t lane, uint32_t ifindex) {
  return pacers_.Erase({.lane = lane, .ifindex = ifindex});
}

int NetworkPrograms::heartbeats_fd() const { return bpf_map__fd(skeleton_->maps.sabot_heartbeats); }

}  // namespace sabot::loader
