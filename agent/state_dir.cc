// SPDX-License-Identifier: Apache-2.0
#include "agent/state_dir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "agent/file.h"
#include "agent/journal.h"
#include "agent/lock.h"
#include "loader/status.h"

namespace sabot::agent {
namespace {

namespace fs = std::filesystem;

absl::Status MakeDirectory(const fs::path& directory) {
  if (::mkdir(directory.c_str(), 0700) == 0 || errno == EEXIST) return absl::OkStatus();
  return ErrnoStatus(errno, absl::StrCat("make directory ", directory.native()));
}

absl::Status CheckOwnedByUs(const fs::path& directory) {
  SABOT_ASSIGN_OR_RETURN(loader::UniqueFd fd, OpenFile(directory, O_RDONLY | O_DIRECTORY));
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return ErrnoStatus(errno, absl::StrCat("stat ", directory.native()));
  if (info.st_uid == ::geteuid() && (info.st_mode & 022) == 0) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat("use state directory ", directory.native(), ": it belongs to user ", info.st_uid,
                   (info.st_mode & 022) ? " and others may write to it" : "", "; it must be ours alone"));
}

bool IsNumber(std::string_view text) {
  return !text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == text.npos;
}

// "4242" or "4242.1".
std::optional<pid_t> PidOfName(std::string_view name) {
  size_t digits = std::min(name.find('.'), name.size());
  std::string_view rest = name.substr(digits);
  if (!IsNumber(name.substr(0, digits))) return std::nullopt;
  if (!rest.empty() && !IsNumber(rest.substr(1))) return std::nullopt;
  return std::atoi(std::string(name.substr(0, digits)).c_str());
}

// A name that nobody else uses, for things that get their real name when they are complete. ListInstances
// does not see it.
fs::path StagingPath(const fs::path& directory) {
  static std::atomic<int> count = 0;
  return directory / absl::StrCat(".new.", ::getpid(), ".", ++count);
}

// Whether the journal of an instance that we have locked has nothing left to undo.
bool IsClean(const fs::path& journal) {
  auto contents = ReadJournal(journal);
  return contents.ok() ? contents->clean() : absl::IsNotFound(contents.status());
}

void RemoveInstanceDirectory(const fs::path& directory) {
  // The lock goes last: until then the directory is ours.
  for (const char* name : {"socket", "journal.new", "journal", "lock"}) ::unlink((directory / name).c_str());
  ::rmdir(directory.c_str());
}

}  // namespace

// ---- Instance

Instance& Instance::operator=(Instance&& other) noexcept {
  Close();
  directory_ = std::move(other.directory_);
  lock_ = std::move(other.lock_);
  return *this;
}

Instance::~Instance() { Close(); }

void Instance::Close() {
  if (lock_.valid() && IsClean(journal_path())) RemoveInstanceDirectory(directory_);
  lock_.Reset();
}

// ---- StateDir

fs::path StateDir::DefaultPath(std::string_view parameter) {
  if (!parameter.empty()) return fs::path(parameter);
  const char* variable = std::getenv("SABOT_STATE_DIR");
  return variable != nullptr && *variable != '\0' ? fs::path(variable) : fs::path("/run/sabot");
}

absl::StatusOr<StateDir> StateDir::Open(fs::path directory) {
  std::error_code error;
  directory = fs::absolute(directory, error);
  if (!error) fs::create_directories(directory.parent_path(), error);
  if (error) {
    return ErrnoStatus(error.value(), absl::StrCat("make the directories above ", directory.native()));
  }
  SABOT_RETURN_IF_ERROR(MakeDirectory(directory));
  SABOT_RETURN_IF_ERROR(CheckOwnedByUs(directory));
  return StateDir(std::move(directory));
}

absl::StatusOr<Instance> StateDir::CreateInstance() const {
  const fs::path final_path = path_ / std::to_string(::getpid());
  const fs::path staging = StagingPath(path_);
  SABOT_RETURN_IF_ERROR(MakeDirectory(staging));
  absl::Cleanup remove = [&staging] { RemoveInstanceDirectory(staging); };
  SABOT_ASSIGN_OR_RETURN(std::optional<loader::UniqueFd> lock, TryLock(staging / "lock", /*create=*/true));
  if (!lock) return absl::InternalError(absl::StrCat("lock ", staging.native(), ": somebody else has it"));
  while (::rename(staging.c_str(), final_path.c_str()) != 0) {
    if (errno != ENOTEMPTY && errno != EEXIST) {
      return ErrnoStatus(errno, absl::StrCat("rename ", staging.native(), " to ", final_path.native()));
    }
    absl::Status cleared = ClearAway(final_path);
    if (!cleared.ok() && !absl::IsNotFound(cleared)) return cleared;
  }
  std::move(remove).Cancel();
  return Instance(final_path, *std::move(lock));
}

absl::Status StateDir::ClearAway(const fs::path& directory) const {
  SABOT_ASSIGN_OR_RETURN(Instance dead, AdoptInstance({.directory = directory}));
  if (IsClean(dead.journal_path())) return absl::OkStatus();  // removed with `dead`
  for (int n = 1;; ++n) {
    fs::path aside = directory;
    aside += absl::StrCat(".", n);
    if (::rename(directory.c_str(), aside.c_str()) == 0) {
      dead.directory_ = aside;
      return absl::OkStatus();
    }
    if (errno != ENOTEMPTY && errno != EEXIST) {
      return ErrnoStatus(errno, absl::StrCat("rename ", directory.native(), " to ", aside.native()));
    }
  }
}

absl::StatusOr<Instance> StateDir::AdoptInstance(const InstanceInfo& dead) const {
  // The lock is missing if the owner died while it removed the directory.
  SABOT_ASSIGN_OR_RETURN(std::optional<loader::UniqueFd> lock,
                         TryLock(dead.directory / "lock", /*create=*/true));
  if (!lock) {
    return absl::AlreadyExistsError(absl::StrCat("take over ", dead.directory.native(),
                                                 ": it is in use by another process, or by this one"));
  }
  return Instance(dead.directory, *std::move(lock));
}

absl::StatusOr<std::vector<InstanceInfo>> StateDir::ListInstances() const {
  std::vector<InstanceInfo> instances;
  std::error_code error;
  for (fs::directory_iterator entry(path_, error), end; !error && entry != end; entry.increment(error)) {
    std::string name = entry->path().filename().native();
    std::optional<pid_t> pid = PidOfName(name);
    if (!pid) continue;
    std::error_code gone;
    if (!fs::is_directory(entry->path(), gone)) continue;
    SABOT_ASSIGN_OR_RETURN(bool live, IsLocked(entry->path() / "lock"));
    instances.push_back({.name = name, .pid = *pid, .live = live, .directory = entry->path()});
  }
  if (error) return ErrnoStatus(error.value(), absl::StrCat("list ", path_.native()));
  std::sort(instances.begin(), instances.end(), [](const InstanceInfo& a, const InstanceInfo& b) {
    return std::pair(a.pid, a.name) < std::pair(b.pid, b.name);
  });
  return instances;
}

// ---- Halt

absl::Status StateDir::Halt(std::string_view who) const {
  const fs::path staging = StagingPath(path_);
  SABOT_ASSIGN_OR_RETURN(loader::UniqueFd fd, OpenFile(staging, O_WRONLY | O_CREAT | O_EXCL, 0600));
  absl::Cleanup remove = [&staging] { ::unlink(staging.c_str()); };
  SABOT_RETURN_IF_ERROR(WriteAt(fd.get(), absl::StrCat(std::string(who), "\n"), 0, staging));
  SABOT_RETURN_IF_ERROR(SyncData(fd.get(), staging));
  if (::rename(staging.c_str(), (path_ / "halted").c_str()) != 0) {
    return ErrnoStatus(errno, absl::StrCat("rename ", staging.native(), " to halted"));
  }
  std::move(remove).Cancel();
  return SyncDirectory(path_);
}

absl::Status StateDir::Resume() const {
  SABOT_RETURN_IF_ERROR(RemoveFile(path_ / "halted"));
  return SyncDirectory(path_);
}

bool StateDir::IsHalted() const {
  return ::access((path_ / "halted").c_str(), F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

}  // namespace sabot::agent
