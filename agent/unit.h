// SPDX-License-Identifier: Apache-2.0
//
// systemd units as control groups; systemd itself is not asked.
#ifndef SABOT_AGENT_UNIT_H_
#define SABOT_AGENT_UNIT_H_

#include <filesystem>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "agent/cgroup.h"

namespace sabot::agent {

// "foo" is "foo.service", as for systemctl. INVALID_ARGUMENT if it cannot be the name of a unit.
absl::StatusOr<std::string> ParseUnitName(std::string_view name);

// The directory of a unit's group: in the v2 tree if it is there, else in systemd's v1 tree. That of the
// system manager wins; of several others none is taken (FAILED_PRECONDITION, naming them). NOT_FOUND if there
// is none, which is also so for a unit that is not running.
absl::StatusOr<std::filesystem::path> FindUnit(const CgroupMounts& mounts, const std::string& unit);

}  // namespace sabot::agent

#endif  // SABOT_AGENT_UNIT_H_
