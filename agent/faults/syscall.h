// SPDX-License-Identifier: Apache-2.0
#ifndef SABOT_AGENT_FAULTS_SYSCALL_H_
#define SABOT_AGENT_FAULTS_SYSCALL_H_

#include "agent/faults/fault_type.h"

namespace sabot::agent {

extern const FaultType kSyscallFault;

}  // namespace sabot::agent

#endif  // SABOT_AGENT_FAULTS_SYSCALL_H_
