// SPDX-License-Identifier: Apache-2.0
#include "agent/unit.h"

#include <algorithm>
#include <system_error>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace sabot::agent {
namespace {

namespace fs = std::filesystem;

void Search(const fs::path& directory, const std::string& unit, std::vector<fs::path>& found) {
  for (const fs::path& group : SubgroupsOf(directory)) {
    if (group.filename() == unit) found.push_back(group);
    Search(group, unit, found);
  }
}

// What the system manager runs; other candidates are users' units, or things in containers.
bool IsSystems(const fs::path& group, const fs::path& root) {
  fs::path relative = group.lexically_relative(root);
  return relative.begin() != relative.end() && *relative.begin() == "system.slice";
}

absl::StatusOr<fs::path> FindIn(const fs::path& root, const std::string& unit) {
  std::error_code gone;
  if (fs::is_directory(root / "system.slice" / unit, gone)) return root / "system.slice" / unit;
  std::vector<fs::path> found;
  Search(root, unit, found);
  if (found.empty()) return absl::NotFoundError("");
  auto of_system =
      std::partition(found.begin(), found.end(), [&](const fs::path& g) { return IsSystems(g, root); });
  if (of_system - found.begin() == 1 || found.size() == 1) return found[0];
  std::sort(found.begin(), found.end());
  return absl::FailedPreconditionError(absl::StrCat(
      "unit ", unit, " could be any of ",
      absl::StrJoin(found, ", ",
                    [](std::string* out, const fs::path& group) { out->append(group.native()); }),
      "; name it as a cgroup"));
}

}  // namespace

absl::StatusOr<std::string> ParseUnitName(std::string_view name) {
  bool good = !name.empty() && name.size() <= 255 && name.front() != '.' && name.front() != '-';
  for (unsigned char c : name) good = good && (absl::ascii_isalnum(c) || absl::StrContains(":-_.\\@", c));
  if (!good) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", std::string(name.substr(0, 300)), "\" is not the name of a unit"));
  }
  std::string unit(name);
  return absl::StrContains(unit, '.') ? unit : unit + ".service";
}

absl::StatusOr<fs::path> FindUnit(const CgroupMounts& mounts, const std::string& unit) {
  for (const fs::path& root : {mounts.unified(), mounts.systemd_v1()}) {
    if (root.empty()) continue;
    auto found = FindIn(root, unit);
    if (!absl::IsNotFound(found.status())) return found;
  }
  return absl::NotFoundError(absl::StrCat("no unit ", unit, " is running (no cgroup of that name)"));
}

}  // namespace sabot::agent
