// SPDX-License-Identifier: Apache-2.0
#include "loader/netlink_qdisc.h"

#include <linux/pkt_sched.h>

#include "loader/netlink_link.h"
#include "loader/netlink_wire.h"
#include "tests/unit/loader/testbed.h"

namespace sabot::loader {
namespace {

class NetlinkQdisc : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    ifindex_ = MakeVeth();
    ASSERT_OK(SetLinkUp(netlink(), ifindex_, true));
  }
  int ifindex() const { return ifindex_; }
  QdiscAt Root(uint32_t major = 1) const { return {.ifindex = ifindex_, .handle = TcHandle(major, 0)}; }
  // Whether the kernel has this kind, by iproute2's word.
  bool KernelHas(const std::string& kind_and_options) {
    bool has = Run("tc qdisc add dev b root handle 77: " + kind_and_options).exit_code == 0;
    Run("tc qdisc del dev b root");
    return has;
  }
  // What tc shows of device a's qdisc of this kind; null if there is none.
  nlohmann::json Shown(const std::string& kind) {
    for (const nlohmann::json& qdisc : Json("tc -j -s qdisc show dev a")) {
      if (qdisc["kind"] == kind) return qdisc;
    }
    return nullptr;
  }
  std::string Before() { return Run("tc qdisc show dev a").output; }
  // The delay that the kernel says the netem qdisc at the root has.
  int64_t NetemLatencyNs() {
    absl::StatusOr<Qdisc> root = RootQdisc(netlink(), ifindex());
    if (!root.ok() || root->spec.options.size() < sizeof(tc_netem_qopt)) return -1;
    ByteSpan after = ByteSpan(root->spec.options).subspan(sizeof(tc_netem_qopt));
    return Attributes(after).Value<int64_t>(TCA_NETEM_LATENCY64).value_or(-1);
  }

 private:
  int ifindex_ = 0;
};

// Where a kernel lacks the kind, the answer must say exactly that, and nothing may have changed.
#define SKIP_IF_KERNEL_LACKS(kind_and_options, spec)                                         \
  if (!KernelHas(kind_and_options)) {                                                        \
    std::string before = Before();                                                           \
    absl::Status status = CreateQdisc(netlink(), Root(), spec);                              \
    EXPECT_TRUE(absl::IsUnimplemented(status)) << status;                                    \
    EXPECT_EQ(Before(), before);                                                             \
    GTEST_SKIP() << "this kernel has no " << (kind_and_options) << ": " << status.message(); \
  }

TEST(TcHandle, IsNamedAsTcDoes) {
  EXPECT_EQ(TcHandleName(TcHandle(1, 0)), "1:");
  EXPECT_EQ(TcHandleName(TcHandle(0x8001, 0x10)), "8001:10");
  EXPECT_EQ(TcHandleName(kRootParent), "root");
  EXPECT_EQ(TcHandleName(kClsactParent), "clsact");
}

TEST(NetemProbability, IsAFractionOf32Bits) {
  EXPECT_EQ(NetemProbability(0), 0u);
  EXPECT_EQ(NetemProbability(-1), 0u);
  EXPECT_EQ(NetemProbability(std::numeric_limits<double>::quiet_NaN()), 0u);
  EXPECT_EQ(NetemProbability(100), 0xFFFFFFFFu);
  EXPECT_EQ(NetemProbability(1000), 0xFFFFFFFFu);
  EXPECT_EQ(NetemProbability(50), 0x80000000u);
}

TEST_F(NetlinkQdisc, TheDefaultRootHasNoHandle) {
  absl::StatusOr<Qdisc> root = RootQdisc(netlink(), ifindex());
  ASSERT_OK(root);
  EXPECT_EQ(root->spec.kind, "noqueue");
  EXPECT_EQ(root->at.handle, 0u);
}

TEST_F(NetlinkQdisc, NoDeviceIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(ListQdiscs(netlink(), 4711).status()));
  EXPECT_TRUE(absl::IsNotFound(RootQdisc(netlink(), 4711).status()));
  EXPECT_TRUE(absl::IsNotFound(EnsureClsact(netlink(), 4711).status()));
  absl::StatusOr<bool> removed = RemoveQdisc(netlink(), {.ifindex = 4711, .handle = TcHandle(1, 0)}, "tbf");
  ASSERT_OK(removed);
  EXPECT_FALSE(*removed);
}

TEST_F(NetlinkQdisc, UnknownKindIsUnimplemented) {
  std::string before = Before();
  absl::Status status = CreateQdisc(netlink(), Root(), {.kind = "sabotnone"});
  EXPECT_TRUE(absl::IsUnimplemented(status)) << status;
  EXPECT_EQ(status.message().find(absl::StrCat("add qdisc sabotnone to a in ", netns().Describe(), ": ")), 0u)
      << status;
  EXPECT_TRUE(absl::IsUnimplemented(EnsureQdisc(netlink(), Root(), {.kind = "sabotnone"}).status()));
  EXPECT_EQ(Before(), before);
}

TEST_F(NetlinkQdisc, ClsactIsEnsuredOnce) {
  absl::StatusOr<bool> first = EnsureClsact(netlink(), ifindex());
  ASSERT_OK(first);
  EXPECT_TRUE(*first);
  EXPECT_FALSE(Shown("clsact").is_null());
  absl::StatusOr<bool> second = EnsureClsact(netlink(), ifindex());
  ASSERT_OK(second);
  EXPECT_FALSE(*second);
  QdiscAt at{.ifindex = ifindex(), .parent = kClsactParent, .handle = kClsactHandle};
  EXPECT_TRUE(*RemoveQdisc(netlink(), at, "clsact"));
  EXPECT_FALSE(*RemoveQdisc(netlink(), at, "clsact"));
  EXPECT_TRUE(Shown("clsact").is_null());
}

TEST_F(NetlinkQdisc, IngressIsNotTakenForClsact) {
  if (Run("tc qdisc add dev a ingress").exit_code != 0) GTEST_SKIP() << "this kernel has no ingress qdisc";
  absl::Status status = EnsureClsact(netlink(), ifindex()).status();
  EXPECT_TRUE(absl::IsAlreadyExists(status)) << status;
  EXPECT_FALSE(Shown("ingress").is_null());
}

TEST_F(NetlinkQdisc, TbfRoundTrip) {
  QdiscSpec spec = Tbf({.rate_bytes_per_second = 1'250'000, .burst_bytes = 70'000, .limit_bytes = 300'000});
  SKIP_IF_KERNEL_LACKS("tbf rate 1mbit burst 10k limit 10k", spec);
  ASSERT_OK(CreateQdisc(netlink(), Root(), spec));
  nlohmann::json shown = Shown("tbf");
  EXPECT_EQ(shown["handle"], "1:");
  EXPECT_EQ(shown["options"]["rate"], 1'250'000);
  EXPECT_NEAR(shown["options"]["burst"].get<double>(), 70'000, 100);
  absl::StatusOr<Qdisc> root = RootQdisc(netlink(), ifindex());
  ASSERT_OK(root);
  EXPECT_EQ(root->spec.kind, "tbf");
  EXPECT_EQ(root->at.handle, TcHandle(1, 0));
}

TEST_F(NetlinkQdisc, TbfTakesRatesBeyond32Bits) {
  QdiscSpec spec = Tbf({.rate_bytes_per_second = 5'000'000'000,
                        .burst_bytes = 1'000'000,
                        .limit_bytes = 3'000'000,
                        .peak_bytes_per_second = 6'000'000'000,
                        .peak_burst_bytes = 70'000});
  SKIP_IF_KERNEL_LACKS("tbf rate 1mbit burst 10k limit 10k", spec);
  ASSERT_OK(CreateQdisc(netlink(), Root(), spec));
  EXPECT_EQ(Shown("tbf")["options"]["rate"], 5'000'000'000);
  std::string text = Run("tc qdisc show dev a").output;
  EXPECT_NE(text.find("peakrate 48Gbit"), std::string::npos) << text;
}

TEST_F(NetlinkQdisc, FqRoundTrip) {
  FqOptions options{.limit_packets = 20'000, .flow_limit_packets = 5'000};
  SKIP_IF_KERNEL_LACKS("fq", Fq(options));
  ASSERT_OK(CreateQdisc(netlink(), Root(), Fq(options)));
  nlohmann::json shown = Shown("fq");
  EXPECT_EQ(shown["options"]["limit"], 20'000);
  EXPECT_EQ(shown["options"]["flow_limit"], 5'000);
  EXPECT_EQ(shown["options"]["horizon"], 10'000'000);
}

TEST_F(NetlinkQdisc, FqHorizonIsSetWhenAskedFor) {
  FqOptions options{.horizon_us = 60'000'000, .horizon_drop = false};
  SKIP_IF_KERNEL_LACKS("fq", Fq(options));
  ASSERT_OK(CreateQdisc(netlink(), Root(), Fq(options)));
  nlohmann::json shown = Shown("fq");
  EXPECT_EQ(shown["options"]["horizon"], 60'000'000);
  EXPECT_NE(Run("tc qdisc show dev a").output.find("horizon_cap"), std::string::npos);
}

TEST_F(NetlinkQdisc, NetemRoundTrip) {
  NetemOptions options{.limit_packets = 4321,
                       .latency_ns = 50'000'001,
                       .jitter_ns = 1'000'000,
                       .latency_correlation = NetemProbability(25),
                       .loss = NetemProbability(10),
                       .loss_correlation = NetemProbability(50),
                       .duplicate = NetemProbability(1),
                       .corrupt = NetemProbability(2),
                       .reorder = NetemProbability(20),
                       .gap = 5};
  SKIP_IF_KERNEL_LACKS("netem delay 1ms", Netem(options));
  ASSERT_OK(CreateQdisc(netlink(), Root(), Netem(options)));
  nlohmann::json shown = Shown("netem")["options"];
  EXPECT_EQ(shown["limit"], 4321);
  EXPECT_NEAR(shown["delay"]["delay"].get<double>(), 0.050, 1e-6);
  EXPECT_EQ(NetemLatencyNs(), 50'000'001);
  EXPECT_NEAR(shown["delay"]["jitter"].get<double>(), 0.001, 1e-9);
  EXPECT_NEAR(shown["delay"]["correlation"].get<double>(), 0.25, 1e-6);
  EXPECT_NEAR(shown["loss-random"]["loss"].get<double>(), 0.1, 1e-6);
  EXPECT_NEAR(shown["loss-random"]["correlation"].get<double>(), 0.5, 1e-6);
  EXPECT_NEAR(shown["duplicate"]["duplicate"].get<double>(), 0.01, 1e-6);
  EXPECT_NEAR(shown["corrupt"]["corrupt"].get<double>(), 0.02, 1e-6);
  EXPECT_NEAR(shown["reorder"]["reorder"].get<double>(), 0.2, 1e-6);
  EXPECT_EQ(shown["gap"], 5);
}

TEST_F(NetlinkQdisc, NetemTakesDelaysBeyond32BitsOfTicks) {
  NetemOptions options{.latency_ns = 600'000'000'000};  // 32 bits of ticks are 275 s
  SKIP_IF_KERNEL_LACKS("netem delay 1ms", Netem(options));
  ASSERT_OK(CreateQdisc(netlink(), Root(), Netem(options)));
  EXPECT_EQ(NetemLatencyNs(), 600'000'000'000) << "tc shows the 32-bit field only, so the kernel is asked";
}

TEST_F(NetlinkQdisc, ChangeForgetsWhatIsNotAskedForAnyMore) {
  NetemOptions options{.latency_ns = 5'000'000,
                       .loss = NetemProbability(10),
                       .loss_correlation = NetemProbability(50),
                       .corrupt = NetemProbability(2),
                       .reorder = NetemProbability(20),
                       .rate_bytes_per_second = 10'000'000'000};
  SKIP_IF_KERNEL_LACKS("netem delay 1ms", Netem(options));
  ASSERT_OK(CreateQdisc(netlink(), Root(), Netem(options)));
  EXPECT_EQ(Shown("netem")["options"]["rate"]["rate"], 10'000'000'000);
  ASSERT_OK(ChangeQdisc(netlink(), Root(), Netem({.latency_ns = 7'000'000})));
  nlohmann::json shown = Shown("netem")["options"];
  EXPECT_NEAR(shown["delay"]["delay"].get<double>(), 0.007, 1e-9);
  for (const char* gone : {"loss-random", "corrupt", "reorder", "rate"})
    EXPECT_FALSE(shown.contains(gone)) << shown;
}

TEST_F(NetlinkQdisc, PrioWithChildren) {
  QdiscSpec spec = Prio({.bands = 4, .priomap = {3, 2, 1}});
  SKIP_IF_KERNEL_LACKS("prio", spec);
  ASSERT_OK(CreateQdisc(netlink(), Root(), spec));
  nlohmann::json options = Shown("prio")["options"];
  EXPECT_EQ(options["bands"], 4);
  EXPECT_EQ(options["priomap"], nlohmann::json({3, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
  QdiscAt child{.ifindex = ifindex(), .parent = TcHandle(1, 2), .handle = TcHandle(0x12, 0)};
  absl::StatusOr<bool> made = EnsureQdisc(netlink(), child, Pfifo({.limit_packets = 77}));
  ASSERT_OK(made);
  EXPECT_TRUE(*made);
  EXPECT_FALSE(*EnsureQdisc(netlink(), child, Pfifo({.limit_packets = 99})));
  EXPECT_EQ(Shown("pfifo")["options"]["limit"], 77) << "Ensure leaves what is there";
  EXPECT_EQ(Shown("pfifo")["parent"], "1:2");
}

TEST_F(NetlinkQdisc, AMissingClassIsNotAMissingKind) {
  if (!KernelHas("prio")) GTEST_SKIP() << "this kernel has no prio";
  ASSERT_OK(CreateQdisc(netlink(), Root(), Prio({})));
  QdiscAt no_class{.ifindex = ifindex(), .parent = TcHandle(1, 9), .handle = TcHandle(2, 0)};
  absl::Status status = CreateQdisc(netlink(), no_class, Pfifo({}));
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
}

TEST_F(NetlinkQdisc, AMissingParentIsNotAMissingKind) {
  QdiscAt no_parent{.ifindex = ifindex(), .parent = TcHandle(9, 1), .handle = TcHandle(2, 0)};
  absl::Status status = CreateQdisc(netlink(), no_parent, Pfifo({}));
  EXPECT_FALSE(status.ok());
  EXPECT_FALSE(absl::IsUnimplemented(status)) << status;
  EXPECT_EQ(status.message().find("add qdisc pfifo at 9:1 to a in netns "), 0u) << status;
}

TEST_F(NetlinkQdisc, PfifoRoundTrip) {
  ASSERT_OK(CreateQdisc(netlink(), Root(), Pfifo({.limit_packets = 321})));
  EXPECT_EQ(Shown("pfifo")["options"]["limit"], 321);
}

TEST_F(NetlinkQdisc, ForeignRootIsNeverReplaced) {
  ASSERT_EQ(Run("tc qdisc add dev a root handle 5: pfifo limit 5").exit_code, 0);
  absl::Status status = CreateQdisc(netlink(), Root(), Pfifo({}));
  EXPECT_TRUE(absl::IsAlreadyExists(status)) << status;
  absl::Status ensured = EnsureQdisc(netlink(), Root(), Pfifo({})).status();
  EXPECT_TRUE(absl::IsAlreadyExists(ensured)) << ensured;
  EXPECT_NE(ensured.message().find("qdisc pfifo 5: is there"), absl::string_view::npos) << ensured;
  EXPECT_EQ(Shown("pfifo")["handle"], "5:");
}

TEST_F(NetlinkQdisc, EnsureWithoutHandleAcceptsAnyOfTheKind) {
  ASSERT_EQ(Run("tc qdisc add dev a root handle 5: pfifo limit 5").exit_code, 0);
  absl::StatusOr<bool> made = EnsureQdisc(netlink(), {.ifindex = ifindex()}, Pfifo({}));
  ASSERT_OK(made);
  EXPECT_FALSE(*made);
}

TEST_F(NetlinkQdisc, ChangeNeverCreates) {
  EXPECT_TRUE(absl::IsNotFound(ChangeQdisc(netlink(), Root(), Pfifo({}))));
  ASSERT_OK(CreateQdisc(netlink(), Root(), Pfifo({})));
  EXPECT_OK(ChangeQdisc(netlink(), Root(), Pfifo({.limit_packets = 5})));
  EXPECT_EQ(Shown("pfifo")["options"]["limit"], 5);
  EXPECT_TRUE(absl::IsNotFound(ChangeQdisc(netlink(), Root(2), Pfifo({}))));
}

TEST_F(NetlinkQdisc, RemoveHitsOnlyTheOneNamed) {
  ASSERT_OK(CreateQdisc(netlink(), Root(), Pfifo({})));
  EXPECT_FALSE(*RemoveQdisc(netlink(), Root(2), "pfifo")) << "another handle";
  EXPECT_FALSE(*RemoveQdisc(netlink(), Root(), "bfifo")) << "another kind";
  EXPECT_TRUE(absl::IsInvalidArgument(RemoveQdisc(netlink(), {.ifindex = ifindex()}, "pfifo").status()));
  EXPECT_FALSE(Shown("pfifo").is_null());
  EXPECT_TRUE(*RemoveQdisc(netlink(), Root(), "pfifo"));
  EXPECT_EQ(RootQdisc(netlink(), ifindex())->spec.kind, "noqueue") << "the default is back";
}

TEST_F(NetlinkQdisc, WhatWasListedCanBeMadeAgain) {
  ASSERT_EQ(Run("tc qdisc add dev a root handle 5: pfifo limit 555").exit_code, 0);
  std::string before = Before();
  Qdisc saved = *RootQdisc(netlink(), ifindex());
  ASSERT_TRUE(*RemoveQdisc(netlink(), saved.at, saved.spec.kind));
  ASSERT_OK(CreateQdisc(netlink(), saved.at, saved.spec));
  EXPECT_EQ(Before(), before);
}

TEST_F(NetlinkQdisc, StatisticsAgreeWithTc) {
  ASSERT_OK(SetLinkUp(netlink(), FindLink(netlink(), "b")->ifindex, true));
  // A rate that lets one packet in minutes: what is sent next stays in the queue.
  QdiscSpec slow = Tbf({.rate_bytes_per_second = 1, .burst_bytes = 1000, .limit_bytes = 1200});
  SKIP_IF_KERNEL_LACKS("tbf rate 1mbit burst 10k limit 10k", slow);
  ASSERT_OK(CreateQdisc(netlink(), Root(), slow));
  Run("sysctl -qw net.ipv6.conf.a.disable_ipv6=1; ip addr add 10.9.0.1/24 dev a;"
      "ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:01 dev a nud permanent;"
      "for i in 1 2 3 4; do ping -c 1 -W 0.01 -s 800 10.9.0.2; done");
  QdiscStats stats = RootQdisc(netlink(), ifindex())->stats;
  nlohmann::json shown = Shown("tbf");
  EXPECT_EQ(stats.bytes, shown["bytes"].get<uint64_t>());
  EXPECT_EQ(stats.packets, shown["packets"].get<uint64_t>());
  EXPECT_EQ(stats.drops, shown["drops"].get<uint64_t>());
  EXPECT_EQ(stats.backlog_packets, shown["qlen"].get<uint64_t>());
  EXPECT_EQ(stats.backlog_bytes, shown["backlog"].get<uint64_t>());
}

TEST_F(NetlinkQdisc, OwnedOneGoesWithItsOwner) {
  std::string before = Before();
  {
    absl::StatusOr<OwnedQdisc> owned = OwnedQdisc::Create(shared_netlink(), Root(), Pfifo({}));
    ASSERT_OK(owned);
    EXPECT_FALSE(Shown("pfifo").is_null());
    OwnedQdisc moved = *std::move(owned);
    EXPECT_OK(moved.Change(Pfifo({.limit_packets = 3})));
    EXPECT_EQ(Shown("pfifo")["options"]["limit"], 3);
  }
  EXPECT_EQ(Before(), before);
}

TEST_F(NetlinkQdisc, OwnedOneIsNotMadeWhereAForeignOneIs) {
  ASSERT_EQ(Run("tc qdisc add dev a root handle 1: pfifo limit 5").exit_code, 0);
  EXPECT_TRUE(absl::IsAlreadyExists(OwnedQdisc::Create(shared_netlink(), Root(), Pfifo({})).status()));
  EXPECT_FALSE(Shown("pfifo").is_null()) << "the foreign one was removed";
}

TEST_F(NetlinkQdisc, OwnedOneMayBeGoneAlready) {
  absl::StatusOr<OwnedQdisc> owned = OwnedQdisc::Create(shared_netlink(), Root(), Pfifo({}));
  ASSERT_OK(owned);
  ASSERT_TRUE(*RemoveLink(netlink(), ifindex()));
  EXPECT_OK(owned->Remove());
}

}  // namespace
}  // namespace sabot::loader
