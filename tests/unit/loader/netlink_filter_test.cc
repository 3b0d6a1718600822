// SPDX-License-Identifier: Apache-2.0
#include "loader/netlink_filter.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>

#include "loader/fd.h"
#include "loader/netlink_link.h"
#include "loader/netlink_qdisc.h"
#include "tests/unit/loader/testbed.h"

namespace sabot::loader {
namespace {

// sched_cls: return `verdict`.
UniqueFd LoadVerdict(int verdict) {
  bpf_insn program[] = {
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = verdict},
      {.code = BPF_JMP | BPF_EXIT},
  };
  return UniqueFd(::bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "verdict", "GPL", program, 2, nullptr));
}

uint32_t IdOf(int program) {
  bpf_prog_info info{};
  uint32_t size = sizeof(info);
  return ::bpf_obj_get_info_by_fd(program, &info, &size) == 0 ? info.id : 0;
}

class NetlinkFilter : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    ifindex_ = MakeVeth();
    program_ = LoadVerdict(0);
    ASSERT_TRUE(program_.valid()) << std::strerror(errno);
    ASSERT_OK(EnsureClsact(netlink(), ifindex_));
  }
  int ifindex() const { return ifindex_; }
  int program() const { return program_.get(); }
  FilterAt Egress(uint16_t priority = 100) const {
    return {.ifindex = ifindex_, .parent = kClsactEgress, .priority = priority};
  }
  BpfFilter Sabot() const { return {.program_fd = program(), .name = "sabot"}; }
  std::string Before() { return Run("tc filter show dev a egress; tc filter show dev a ingress").output; }

 private:
  int ifindex_ = 0;
  UniqueFd program_;
};

TEST_F(NetlinkFilter, RoundTrip) {
  ASSERT_OK(AddBpfFilter(netlink(), Egress(), Sabot()));
  absl::StatusOr<std::vector<Filter>> filters = ListFilters(netlink(), ifindex(), kClsactEgress);
  ASSERT_OK(filters);
  ASSERT_EQ(filters->size(), 1u);
  const Filter& filter = filters->front();
  EXPECT_EQ(filter.at.priority, 100);
  EXPECT_EQ(filter.at.handle, 1u);
  EXPECT_EQ(filter.protocol, ETH_P_ALL);
  EXPECT_EQ(filter.kind, "bpf");
  EXPECT_EQ(filter.name, "sabot");
  EXPECT_EQ(filter.program_id, IdOf(program()));
  EXPECT_TRUE(filter.direct_action);
  std::string shown = Run("tc filter show dev a egress").output;
  EXPECT_NE(shown.find("pref 100 bpf"), std::string::npos) << shown;
  EXPECT_NE(shown.find("handle 0x1 sabot direct-action"), std::string::npos) << shown;
}

TEST_F(NetlinkFilter, DirectionsAreApart) {
  ASSERT_OK(
      AddBpfFilter(netlink(), {.ifindex = ifindex(), .parent = kClsactIngress, .priority = 7}, Sabot()));
  EXPECT_TRUE(ListFilters(netlink(), ifindex(), kClsactEgress)->empty());
  EXPECT_EQ(ListFilters(netlink(), ifindex(), kClsactIngress)->size(), 1u);
}

TEST_F(NetlinkFilter, ListsOtherKindsToo) {
  ASSERT_OK(AddBpfFilter(netlink(), Egress(9), Sabot()));
  if (Run("tc filter add dev a egress prio 3 protocol ip u32 match u32 0 0 classid 1:1").exit_code != 0) {
    GTEST_SKIP() << "this kernel has no u32";
  }
  absl::StatusOr<std::vector<Filter>> filters = ListFilters(netlink(), ifindex(), kClsactEgress);
  ASSERT_OK(filters);
  ASSERT_GE(filters->size(), 2u);
  EXPECT_EQ(filters->front().kind, "u32");
  EXPECT_EQ(filters->front().protocol, ETH_P_IP);
  EXPECT_EQ(filters->back().kind, "bpf");
}

TEST_F(NetlinkFilter, TakenPlacesAreAlreadyExisting) {
  ASSERT_OK(AddBpfFilter(netlink(), Egress(), Sabot()));
  std::string before = Before();
  absl::Status status = AddBpfFilter(netlink(), Egress(), Sabot());
  EXPECT_TRUE(absl::IsAlreadyExists(status)) << status;
  EXPECT_EQ(
      status.message().find("add bpf filter with priority 100 and handle 1 at clsact egress of a in netns "),
      0u)
      << status;
  if (Run("tc filter add dev a egress prio 3 protocol ip u32 match u32 0 0 classid 1:1").exit_code == 0) {
    status = AddBpfFilter(netlink(), Egress(3), Sabot());
    EXPECT_TRUE(absl::IsAlreadyExists(status)) << status;
    Run("tc filter del dev a egress prio 3");
  }
  EXPECT_EQ(Before(), before);
}

TEST_F(NetlinkFilter, HandlesSharePriorities) {
  FilterAt second = Egress();
  second.handle = 2;
  ASSERT_OK(AddBpfFilter(netlink(), Egress(), Sabot()));
  ASSERT_OK(AddBpfFilter(netlink(), second, Sabot()));
  EXPECT_TRUE(*RemoveBpfFilter(netlink(), Egress()));
  absl::StatusOr<std::vector<Filter>> left = ListFilters(netlink(), ifindex(), kClsactEgress);
  ASSERT_OK(left);
  ASSERT_EQ(left->size(), 1u);
  EXPECT_EQ(left->front().at.handle, 2u);
}

TEST_F(NetlinkFilter, RemoveHitsOnlyTheOneNamed) {
  ASSERT_OK(AddBpfFilter(netlink(), Egress(), Sabot()));
  FilterAt other_handle = Egress();
  other_handle.handle = 2;
  EXPECT_FALSE(*RemoveBpfFilter(netlink(), other_handle));
  EXPECT_FALSE(*RemoveBpfFilter(netlink(), Egress(101)));
  EXPECT_FALSE(
      *RemoveBpfFilter(netlink(), {.ifindex = ifindex(), .parent = kClsactIngress, .priority = 100}));
  FilterAt no_handle = Egress();
  no_handle.handle = 0;
  EXPECT_TRUE(absl::IsInvalidArgument(RemoveBpfFilter(netlink(), no_handle).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(RemoveBpfFilter(netlink(), Egress(0)).status()));
  EXPECT_EQ(ListFilters(netlink(), ifindex(), kClsactEgress)->size(), 1u);
  EXPECT_TRUE(*RemoveBpfFilter(netlink(), Egress()));
  EXPECT_FALSE(*RemoveBpfFilter(netlink(), Egress()));
}

TEST_F(NetlinkFilter, RemoveFindsNothingWithoutItsQdiscOrDevice) {
  FilterAt at = Egress();
  QdiscAt clsact{.ifindex = ifindex(), .parent = kClsactParent, .handle = kClsactHandle};
  ASSERT_TRUE(*RemoveQdisc(netlink(), clsact, "clsact"));
  EXPECT_FALSE(*RemoveBpfFilter(netlink(), at));
  EXPECT_TRUE(ListFilters(netlink(), ifindex(), kClsactEgress)->empty());
  ASSERT_TRUE(*RemoveLink(netlink(), ifindex()));
  EXPECT_FALSE(*RemoveBpfFilter(netlink(), at));
  EXPECT_TRUE(absl::IsNotFound(ListFilters(netlink(), ifindex(), kClsactEgress).status()));
}

TEST_F(NetlinkFilter, ReplaceSwapsTheProgram) {
  UniqueFd other = LoadVerdict(2);
  ASSERT_TRUE(other.valid());
  EXPECT_TRUE(absl::IsNotFound(ReplaceBpfFilter(netlink(), Egress(), Sabot())));
  ASSERT_OK(AddBpfFilter(netlink(), Egress(), Sabot()));
  ASSERT_OK(ReplaceBpfFilter(netlink(), Egress(), {.program_fd = other.get(), .name = "newer"}));
  absl::StatusOr<std::vector<Filter>> filters = ListFilters(netlink(), ifindex(), kClsactEgress);
  ASSERT_OK(filters);
  ASSERT_EQ(filters->size(), 1u);
  EXPECT_EQ(filters->front().program_id, IdOf(other.get()));
  EXPECT_EQ(filters->front().name, "newer");
}

TEST_F(NetlinkFilter, ClassifiesForAQdiscWithClasses) {
  if (Run("tc qdisc add dev a root handle 1: htb").exit_code != 0) GTEST_SKIP() << "this kernel has no htb";
  FilterAt at{.ifindex = ifindex(), .parent = TcHandle(1, 0), .priority = 1};
  ASSERT_OK(AddBpfFilter(
      netlink(), at,
      {.program_fd = program(), .name = "class", .direct_action = false, .class_id = TcHandle(1, 2)}));
  absl::StatusOr<std::vector<Filter>> filters = ListFilters(netlink(), ifindex(), TcHandle(1, 0));
  ASSERT_OK(filters);
  ASSERT_EQ(filters->size(), 1u);
  EXPECT_FALSE(filters->front().direct_action);
  std::string shown = Run("tc filter show dev a parent 1:").output;
  EXPECT_NE(shown.find("flowid 1:2"), std::string::npos) << shown;
}

TEST_F(NetlinkFilter, PrioFollowsTheProgram) {
  if (Run("tc qdisc add dev a root handle 1: prio bands 3").exit_code != 0)
    GTEST_SKIP() << "this kernel has no prio";
  UniqueFd to_third = LoadVerdict(3);
  ASSERT_TRUE(to_third.valid());
  ASSERT_EQ(Run("tc qdisc add dev a parent 1:3 handle 13: pfifo").exit_code, 0);
  ASSERT_OK(AddBpfFilter(netlink(), {.ifindex = ifindex(), .parent = TcHandle(1, 0), .priority = 1},
                         {.program_fd = to_third.get(), .name = "third", .direct_action = false}));
  Run("ip link set dev a up; ip link set dev b up; ip addr add 10.9.0.1/24 dev a;"
      "ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:01 dev a nud permanent; ping -c 3 -i 0.01 -W 0.1 "
      "10.9.0.2");
  absl::StatusOr<std::vector<Qdisc>> qdiscs = ListQdiscs(netlink(), ifindex());
  ASSERT_OK(qdiscs);
  for (const Qdisc& qdisc : *qdiscs) {
    if (qdisc.at.handle == TcHandle(0x13, 0)) {
      EXPECT_GE(qdisc.stats.packets, 3u);
    }
  }
}

TEST_F(NetlinkFilter, AMissingQdiscIsNotAMissingClassifier) {
  FilterAt at{.ifindex = ifindex(), .parent = TcHandle(9, 0), .priority = 1};
  absl::Status status = AddBpfFilter(netlink(), at, Sabot());
  EXPECT_FALSE(status.ok());
  EXPECT_FALSE(absl::IsUnimplemented(status)) << status;
  EXPECT_NE(status.message().find("at qdisc 9: of a in"), absl::string_view::npos) << status;
}

TEST_F(NetlinkFilter, ABadProgramLeavesNothing) {
  std::string before = Before();
  EXPECT_FALSE(AddBpfFilter(netlink(), Egress(), {.program_fd = -1, .name = "bad"}).ok());
  EXPECT_FALSE(
      AddBpfFilter(netlink(), Egress(), {.program_fd = program(), .name = std::string(70'000, 'x')}).ok());
  EXPECT_TRUE(ListFilters(netlink(), ifindex(), kClsactEgress)->empty());
  EXPECT_EQ(Before(), before);
}

TEST_F(NetlinkFilter, OwnedOneGoesWithItsOwner) {
  std::string before = Before();
  {
    absl::StatusOr<OwnedBpfFilter> owned = OwnedBpfFilter::Create(shared_netlink(), Egress(), Sabot());
    ASSERT_OK(owned);
    OwnedBpfFilter moved = *std::move(owned);
    EXPECT_EQ(ListFilters(netlink(), ifindex(), kClsactEgress)->size(), 1u);
  }
  EXPECT_TRUE(ListFilters(netlink(), ifindex(), kClsactEgress)->empty());
  EXPECT_EQ(Before(), before);
}

}  // namespace
}  // namespace sabot::loader
