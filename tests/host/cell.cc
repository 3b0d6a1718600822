// SPDX-License-Identifier: Apache-2.0
#include "tests/host/cell.h"

namespace sabot::test {
namespace {

constexpr Effect kLoss = {EffectKind::kLoss, "Loss", "loss", "30", "100", 0};
constexpr Effect kDuplicate = {EffectKind::kDuplicate, "Duplicate", "duplicate", "30", "100", 0};
constexpr Effect kDelay = {EffectKind::kDelay, "Delay", "delay", "50ms", "200ms", 200'000'000};
constexpr Effect kPartition = {EffectKind::kPartition, "Partition", "partition", "", "", 0};

}  // namespace

const std::vector<Cell>& Cells() {
  static const std::vector<Cell> cells = {
      {&kLoss, "tcx", TargetBy::kNetns},
      {&kLoss, "clsact", TargetBy::kNetns},
      {&kLoss, "netem", TargetBy::kNetns},
      {&kDuplicate, "tcx", TargetBy::kNetns},
      {&kDuplicate, "clsact", TargetBy::kNetns},
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
  if (effect.kind == EffectKind::kDuplicate) return datagram.copies == 2;
  if (effect.kind != EffectKind::kDelay) return datagram.refused() || datagram.lost();
  return datagram.received_ns != 0 && datagram.delay_ns() >= effect.strong_delay_ns;
}

bool IsUnhurt(const Effect& effect, const Datagram& datagram) {
  if (datagram.received_ns == 0 || datagram.copies != 1) return false;
  return effect.kind != EffectKind::kDelay || datagram.delay_ns() < effect.strong_delay_ns / 2;
}

}  // namespace sabot::test
