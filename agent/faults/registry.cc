// SPDX-License-Identifier: Apache-2.0
//
// The explicit list of fault families.
#include "agent/faults/clock.h"
#include "agent/faults/fault_type.h"
#include "agent/faults/network.h"
#include "agent/faults/syscall.h"

namespace sabot::agent {
namespace {

constexpr const FaultType* kTypes[] = {
    &kNetworkFault,
    &kClockFault,
    &kSyscallFault,
};

}  // namespace

std::span<const FaultType* const> AllFaultTypes() { return kTypes; }

const FaultType* FindFaultType(sabot::v1::Fault::KindCase kind) {
  for (const FaultType* type : kTypes) {
    if (type->kind == kind) return type;
  }
  return nullptr;
}

}  // namespace sabot::agent
