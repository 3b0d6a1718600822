// SPDX-License-Identifier: Apache-2.0
#include "tests/host/cell.h"

namespace sabot::test {
namespace {

constexpr Effect kLoss = {EffectKind::kLoss, "Loss", "loss", "30", "100"};
constexpr Effect kDelay = {EffectKind::kDelay, "Delay", "delay", "50ms", "50ms"};
constexpr Effect kPartition = {EffectKind::kPartition, "Partition", "partition", "", ""};

// A datagram that took this long was delayed by the strong effect (50 ms); an emulated machine alone never
// takes as long as 40.
constexpr int64_t kHitDelayNs = 49'000'000;
constexpr int64_t kUnhurtDelayNs = 40'000'000;

}  // namespace

const std::vector<Cell>& Cells() {
  static const std::vector<Cell> cells = {
      {&kLoss, "tcx", TargetBy::kNetns},
      {&kLoss, "clsact", TargetBy::kNetns},
      {&kLoss, "netem", TargetBy::kNetns},
      {&kDelay, "edt", TargetBy::kNetns},
      {&kDelay, "netem", TargetBy::kNetns},
      {&kDelay, "pacer", TargetBy::kNetns},
      {&kPartition, "cgroup_skb", TargetBy::kCgroup},
      {&kPartition, "tcx", TargetBy::kNetns},
      {&kPartition, "clsact", TargetBy::kNetns},
  };
  return cells;
}

bool IsHit(const Effect& effect, const Datagram& datagram) {
  if (effect.kind == EffectKind::kDelay)
    return datagram.received_ns != 0 && datagram.delay_ns() >= kHitDelayNs;
  if (effect.kind == EffectKind::kPartition && datagram.refused()) return true;
  return datagram.lost();
}

bool IsUnhurt(const Datagram& datagram) {
  return datagram.received_ns != 0 && datagram.delay_ns() < kUnhurtDelayNs && datagram.copies == 1;
}

}  // namespace sabot::test
