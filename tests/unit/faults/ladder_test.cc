// SPDX-License-Identifier: Apache-2.0
#include "agent/ladder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

namespace sabot::agent {
namespace {

using loader::Answer;
using loader::Feature;
using loader::Features;
using loader::Finding;
using testing::HasSubstr;

// A kernel that has all that the network ladders need, but for what `lacks` names.
Features Kernel(const std::map<Feature, Answer>& lacks = {}) {
  std::map<Feature, Finding> findings;
  for (const FaultType* type : AllFaultTypes()) {
    for (const Effect& effect : type->effects) {
      for (const Rung& rung : effect.ladder) {
        for (Feature feature : rung.needs) findings[feature] = {Answer::kYes, "made up"};
      }
    }
  }
  for (const auto& [feature, answer] : lacks) findings[feature] = {answer, "made up"};
  return Features::Of(std::move(findings));
}

const Effect& EffectNamed(const std::string& name) {
  for (const FaultType* type : AllFaultTypes()) {
    for (const Effect& effect : type->effects) {
      if (effect.name == name) return effect;
    }
  }
  ADD_FAILURE() << "no effect " << name;
  return AllFaultTypes()[0]->effects[0];
}

struct Chosen {
  std::string mechanism;
  std::vector<RejectedRung> rejected;
};

Chosen Choose(const std::string& effect, const Features& features,
              const sabot::v1::MechanismPolicy& policy = {}, const ForcedMechanisms& forced = {},
              std::function<std::optional<std::string>(const Rung&)> unfit = nullptr, size_t at_once = 1) {
  Chosen chosen;
  const LadderRequest request = {
      .type = *AllFaultTypes()[0],
      .effect = EffectNamed(effect),
      .policy = policy,
      .forced = forced,
      .features = features,
      .unfit = std::move(unfit),
      .at_once = at_once,
  };
  const Rung* rung = RungChoice(request).Next(chosen.rejected);
  chosen.mechanism = rung == nullptr ? "" : std::string(rung->mechanism);
  return chosen;
}

TEST(Ladder, TakesTheFirstRungOnAFullKernel) {
  EXPECT_EQ(Choose("loss", Kernel()).mechanism, "tcx");
  EXPECT_EQ(Choose("delay", Kernel()).mechanism, "edt");
  EXPECT_EQ(Choose("partition", Kernel()).mechanism, "cgroup_skb");
}

TEST(Ladder, StepsDownOnNoAndOnDeniedAndSaysWhich) {
  const Chosen no = Choose("delay", Kernel({{Feature::kFq, Answer::kNo}}));
  EXPECT_EQ(no.mechanism, "netem");
  ASSERT_EQ(no.rejected.size(), 1u);
  EXPECT_THAT(no.rejected[0].reason, HasSubstr("fq: no"));
  const Chosen denied = Choose("loss", Kernel({{Feature::kTcx, Answer::kDenied}}));
  EXPECT_EQ(denied.mechanism, "clsact");
  EXPECT_THAT(denied.rejected[0].reason, HasSubstr("tcx: denied"));
}

TEST(Ladder, DoesNotTakeWhatItCouldNotFindOut) {
  EXPECT_EQ(Choose("loss", Kernel({{Feature::kTcx, Answer::kUnknown}})).mechanism, "clsact");
}

TEST(Ladder, StepsDownWhereTheTargetDoesNotFit) {
  const auto chosen = Choose("delay", Kernel(), {}, {}, [](const Rung& rung) -> std::optional<std::string> {
    if (rung.mechanism == "edt") return "somebody's qdisc is there";
    return std::nullopt;
  });
  EXPECT_EQ(chosen.mechanism, "netem");
  EXPECT_EQ(Describe(chosen.rejected), "edt: somebody's qdisc is there");
}

// Each tcx link waits for a grace period of the kernel, with the lock of all network devices held.
TEST(Ladder, PrefersAnEqualRungForACrowd) {
  const Chosen crowd = Choose("loss", Kernel(), {}, {}, nullptr, 1000);
  EXPECT_EQ(crowd.mechanism, "clsact");
  ASSERT_EQ(crowd.rejected.size(), 1u);
  EXPECT_THAT(Describe(crowd.rejected), HasSubstr("tcx: 1000 faults begin at once"));
  EXPECT_EQ(
      Choose("partition", Kernel({{Feature::kCgroupSkb, Answer::kNo}}), {}, {}, nullptr, 1000).mechanism,
      "clsact");
}

TEST(Ladder, NeverTakesAWorseRungForACrowd) {
  const Features kernel = Kernel({{Feature::kClsact, Answer::kNo}});
  const Chosen crowd = Choose("loss", kernel, {}, {}, nullptr, 1000);
  EXPECT_EQ(crowd.mechanism, "tcx");
  EXPECT_THAT(Describe(crowd.rejected), HasSubstr("clsact: clsact: no"));
}

TEST(Ladder, ObeysForceAndLeavesOtherEffectsAlone) {
  ForcedMechanisms forced;
  ASSERT_TRUE(AddForcedMechanism("network=pacer", forced).ok());
  EXPECT_EQ(Choose("delay", Kernel(), {}, forced).mechanism, "pacer");
  EXPECT_EQ(Choose("loss", Kernel(), {}, forced).mechanism, "tcx");
}

TEST(Ladder, HasNothingLeftWhenTheForcedRungIsMissing) {
  ForcedMechanisms forced;
  ASSERT_TRUE(AddForcedMechanism("network=edt", forced).ok());
  const Chosen chosen = Choose("delay", Kernel({{Feature::kFq, Answer::kNo}}), {}, forced);
  EXPECT_EQ(chosen.mechanism, "");
  EXPECT_EQ(chosen.rejected.size(), EffectNamed("delay").ladder.size());
}

TEST(Ladder, ObeysTheExperiment) {
  sabot::v1::MechanismPolicy policy;
  policy.add_allowed("netem");
  EXPECT_EQ(Choose("delay", Kernel(), policy).mechanism, "netem");
  sabot::v1::MechanismPolicy exact;
  exact.set_minimum_fidelity(sabot::v1::FIDELITY_EXACT);
  EXPECT_EQ(Choose("partition", Kernel({{Feature::kCgroupSkb, Answer::kNo}}), exact).mechanism, "");
}

TEST(ForcedMechanism, IsRefusedWithWhatThereIs) {
  ForcedMechanisms forced;
  for (const char* text : {"", "network", "network=", "network=warp", "weather=tcx", "=tcx"}) {
    const absl::Status status = AddForcedMechanism(text, forced);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
  }
  EXPECT_THAT(std::string(AddForcedMechanism("network=warp", forced).message()), HasSubstr("tcx"));
  EXPECT_THAT(std::string(AddForcedMechanism("weather=tcx", forced).message()), HasSubstr("network"));
  EXPECT_TRUE(forced.empty());
}

TEST(LadderTable, SaysAllThatOthersPrint) {
  for (const FaultType* type : AllFaultTypes()) {
    for (const Effect& effect : type->effects) {
      EXPECT_FALSE(effect.description.empty()) << effect.name;
      std::set<std::string_view> names;
      for (const Rung& rung : effect.ladder) {
        EXPECT_TRUE(names.insert(rung.mechanism).second) << rung.mechanism << " is there twice";
        EXPECT_FALSE(rung.needs.empty()) << rung.mechanism;
        EXPECT_FALSE(rung.undone_by.empty()) << rung.mechanism;
        EXPECT_TRUE(rung.fidelity == sabot::v1::FIDELITY_EXACT || !rung.caveat.empty())
            << rung.mechanism << " is degraded and does not say how";
      }
    }
  }
}

TEST(LadderTable, KnowsEveryKindOfTheProto) {
  const auto* kind = sabot::v1::Fault::descriptor()->FindOneofByName("kind");
  ASSERT_NE(kind, nullptr);
  for (int i = 0; i < kind->field_count(); ++i) {
    const auto number = static_cast<sabot::v1::Fault::KindCase>(kind->field(i)->number());
    const FaultType* type = FindFaultType(number);
    ASSERT_NE(type, nullptr) << "no fault type for " << kind->field(i)->name()
                             << " in agent/faults/registry.cc";
    EXPECT_EQ(type->family, kind->field(i)->name());
  }
}

}  // namespace
}  // namespace sabot::agent
