// SPDX-License-Identifier: Apache-2.0
#include "agent/cgroup.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "agent/file.h"
#include "agent/process.h"
#include "loader/status.h"

namespace sabot::agent {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxProcFile = size_t{64} << 20;
// What a message can bear.
constexpr size_t kMaxNames = 3;

// mountinfo writes space, tab, newline and backslash as \ and three octal digits.
std::string Unescape(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    auto digit = [&](size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '7'; };
    if (text[i] == '\\' && digit(i + 1) && digit(i + 2) && digit(i + 3)) {
      plain.push_back(
          static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0')));
      i += 3;
    } else {
      plain.push_back(text[i]);
    }
  }
  return plain;
}

struct Mount {
  std::string root;  // of the file system, where it is mounted
  std::string point;
  std::string type;
  std::string options;
};

std::optional<Mount> ParseMount(const std::string& line) {
  std::vector<std::string> fields = absl::StrSplit(line, ' ', absl::SkipEmpty());
  auto dash = std::find(fields.begin(), fields.end(), "-");
  if (fields.size() < 6 || fields.end() - dash < 4) return std::nullopt;
  return Mount{Unescape(fields[3]), Unescape(fields[4]), dash[1], dash[3]};
}

absl::StatusOr<CgroupRef> RefOf(const fs::path& directory) {
  struct stat info {};
  struct statfs system {};
  const std::string attempt = absl::StrCat("open cgroup ", directory.native());
  if (::stat(directory.c_str(), &info) != 0) return ErrnoStatus(errno, attempt);
  if (::statfs(directory.c_str(), &system) != 0) return ErrnoStatus(errno, attempt);
  if (!S_ISDIR(info.st_mode) || system.f_type != CGROUP2_SUPER_MAGIC) {
    return absl::InvalidArgumentError(absl::StrCat(attempt, ": it is not a cgroup v2 directory"));
  }
  return CgroupRef{.path = directory, .id = info.st_ino};
}

bool IsBelow(const fs::path& path, const fs::path& directory) {
  return path == directory || absl::StartsWith(path.native(), directory.native() + "/");
}

absl::Status NotMounted() {
  return absl::FailedPreconditionError("cgroup v2 is not mounted here (/proc/self/mountinfo has none)");
}

void AddMembers(const fs::path& directory, std::vector<pid_t>& pids) {
  // A threaded group has no processes of its own: they are those of the group above it.
  auto text = ReadFile(directory / "cgroup.procs", kMaxProcFile);
  for (const auto& line : absl::StrSplit(text.ok() ? *text : "", '\n', absl::SkipEmpty())) {
    pid_t pid = 0;
    // 0 is a process of a pid namespace that we cannot see.
    if (absl::SimpleAtoi(line, &pid) && pid > 0) pids.push_back(pid);
  }
  for (const fs::path& group : SubgroupsOf(directory)) AddMembers(group, pids);
}

}  // namespace

CgroupMounts CgroupMounts::Parse(std::string_view mountinfo) {
  CgroupMounts mounts;
  for (const auto& line : absl::StrSplit(std::string(mountinfo), '\n', absl::SkipEmpty())) {
    std::optional<Mount> mount = ParseMount(std::string(line));
    if (!mount) continue;
    // A mount of the whole hierarchy is better than one of a part of it.
    bool better = mounts.unified_.empty() || (mounts.unified_root_ != "/" && mount->root == "/");
    if (mount->type == "cgroup2" && better) {
      mounts.unified_ = mount->point;
      mounts.unified_root_ = mount->root;
    }
    std::vector<std::string> options = absl::StrSplit(mount->options, ',');
    bool systemd = std::find(options.begin(), options.end(), "name=systemd") != options.end();
    if (mount->type == "cgroup" && systemd && mounts.systemd_v1_.empty()) mounts.systemd_v1_ = mount->point;
  }
  return mounts;
}

absl::StatusOr<CgroupMounts> CgroupMounts::Find() {
  SABOT_ASSIGN_OR_RETURN(std::string text, ReadFile("/proc/self/mountinfo", kMaxProcFile));
  return Parse(text);
}

absl::StatusOr<CgroupRef> CgroupMounts::Open(std::string_view name) const {
  if (unified_.empty()) return NotMounted();
  fs::path path = (unified_ / fs::path(name)).lexically_normal();  // an absolute name replaces the mount
  if (!path.has_filename()) path = path.parent_path();
  if (name.empty() || name.find('\0') != name.npos || !IsBelow(path, unified_)) {
    return absl::InvalidArgumentError(absl::StrCat("cgroup \"", std::string(name), "\" is not below ",
                                                   unified_.native(), "; it may be given relative to that"));
  }
  auto ref = RefOf(path);
  if (absl::IsNotFound(ref.status())) return absl::NotFoundError(absl::StrCat("no cgroup ", path.native()));
  return ref;
}

absl::StatusOr<CgroupRef> CgroupMounts::OfProcess(pid_t pid) const {
  if (unified_.empty()) return NotMounted();
  auto text = ReadFile(absl::StrCat("/proc/", pid, "/cgroup"), kMaxProcFile);
  if (absl::IsNotFound(text.status())) return absl::NotFoundError(absl::StrCat("no process ", pid));
  if (!text.ok()) return text.status();
  for (const auto& line : absl::StrSplit(*text, '\n')) {
    if (!absl::StartsWith(line, "0::/")) continue;
    fs::path path = std::string(line.substr(3));
    fs::path relative = path.lexically_relative(unified_root_);
    if (relative.empty() || *relative.begin() == "..") break;
    return RefOf(relative == "." ? unified_ : unified_ / relative);
  }
  return absl::FailedPreconditionError(
      absl::StrCat("the cgroup of process ", pid, " is not below ", unified_.native()));
}

std::vector<fs::path> SubgroupsOf(const fs::path& directory) {
  std::vector<fs::path> groups;
  std::error_code error;
  fs::directory_iterator entry(directory, error), end;
  for (; !error && entry != end; entry.increment(error)) {
    std::error_code gone;
    if (entry->is_directory(gone)) groups.push_back(entry->path());
  }
  return groups;
}

absl::StatusOr<std::vector<pid_t>> MembersOf(const fs::path& directory) {
  std::error_code error;
  if (!fs::is_directory(directory, error)) {
    return absl::NotFoundError(absl::StrCat("no cgroup ", directory.native()));
  }
  std::vector<pid_t> pids;
  AddMembers(directory, pids);
  std::sort(pids.begin(), pids.end());
  pids.erase(std::unique(pids.begin(), pids.end()), pids.end());
  return pids;
}

std::vector<MemberNetns> NetnsOf(const std::vector<pid_t>& pids) {
  std::vector<MemberNetns> members;
  for (pid_t pid : pids) {
    auto inode = NetnsInodeOf(pid);
    auto stat = ReadProcessStat(pid);
    if (absl::IsNotFound(inode.status()) || !stat.ok()) continue;
    members.push_back({.pid = pid, .command = std::move(stat->command), .netns_inode = inode.value_or(0)});
  }
  return members;
}

absl::StatusOr<Exclusivity> ExclusiveTo(const fs::path& cgroup, uint64_t netns_inode) {
  SABOT_ASSIGN_OR_RETURN(std::vector<pid_t> pids, MembersOf(cgroup));
  std::vector<MemberNetns> members = NetnsOf(pids);
  Exclusivity result{.members = members.size(), .strangers = {}};
  for (MemberNetns& member : members) {
    if (member.netns_inode != netns_inode) result.strangers.push_back(std::move(member));
  }
  return result;
}

std::string Exclusivity::StrangerNames() const { return NameProcesses(strangers); }

std::string NameProcesses(const std::vector<MemberNetns>& processes) {
  std::vector<std::string> names;
  for (size_t i = 0; i < processes.size() && i < kMaxNames; ++i) {
    names.push_back(absl::StrCat(processes[i].pid, " (", processes[i].command, ")"));
  }
  std::string text = absl::StrJoin(names, ", ");
  if (processes.size() > kMaxNames) absl::StrAppend(&text, " and ", processes.size() - kMaxNames, " more");
  return text;
}

}  // namespace sabot::agent
