// SPDX-License-Identifier: Apache-2.0
//
// BPF by hand, without the product: programs of a few instructions, attached by raw system calls.
//
// They serve two ends. As faults of known strength they check the probes and the snapshot. As probes of the
// kernel they give a second opinion on `sabot doctor`: a rung that it calls unusable must be refused to us as
// well, otherwise a skipped test would hide a defect.
#ifndef SABOT_TESTS_SUPPORT_BPF_YARDSTICK_H_
#define SABOT_TESTS_SUPPORT_BPF_YARDSTICK_H_

#include <string>

#include "loader/fd.h"
#include "tests/support/resident.h"

namespace sabot::test {

// A program that drops each packet with this probability (0 to 1) and passes it otherwise.
enum class DropperKind { kTc, kCgroup };
loader::UniqueFd LoadDropper(DropperKind kind, double probability, const std::string& name = "yardstick");

// Attached as long as the descriptor is open.
loader::UniqueFd AttachTcxEgress(const Resident& host, const std::string& device, int program_fd);
loader::UniqueFd AttachCgroupEgress(const std::string& cgroup, int program_fd);
// Attached until the qdisc or the namespace goes: outlives every descriptor and process.
void AttachClsactEgress(const Resident& host, const std::string& device, int program_fd);

// "" when a rung's ground is there, otherwise what was refused and with which errno. Tried out in a namespace
// and control group made for it.
std::string WhyNotTcx();
std::string WhyNotClsact();
std::string WhyNotCgroupSkb();
std::string WhyNotQdisc(const std::string& kind);  // "fq", "netem", "prio"
std::string WhyNotTap();
std::string WhyNotOverride();                            // bpf_override_return
std::string WhyNotFmodRet(const std::string& function);  // "security_file_open"
std::string WhyNotCgroupConnect();                       // with an error of ours

}  // namespace sabot::test

#endif  // SABOT_TESTS_SUPPORT_BPF_YARDSTICK_H_
