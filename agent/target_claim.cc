// SPDX-License-Identifier: Apache-2.0
//
// Claims on targets. A claim is a locked file with its owner's words, which gets its name when it is
// complete: who finds the name finds the words. The file of a dead owner is unlocked; it is removed by who
// holds its lock.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "agent/file.h"
#include "agent/lock.h"
#include "agent/state_dir.h"
#include "loader/status.h"

namespace sabot::agent {
namespace {

namespace fs = std::filesystem;

bool IsKey(std::string_view key) {
  if (key.empty() || key.size() > 128 || key.front() == '.') return false;
  for (char c : key) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '_' && c != '-') return false;
  }
  return true;
}

std::string OwnerFile(std::string_view owner) {
  std::string line(owner.substr(0, 4096));
  for (char& c : line) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) c = '?';
  }
  return absl::StrCat(::getpid(), "\n", line, "\n");
}

absl::Status HeldError(const fs::path& file) {
  auto text = ReadFile(file, 8192);
  if (!text.ok()) return text.status();
  std::vector<std::string> lines = absl::StrSplit(*text, '\n');
  lines.resize(2);
  return absl::AlreadyExistsError(absl::StrCat("claim target ", file.filename().native(), ": it is held by ",
                                               lines[1].empty() ? "a process" : lines[1], " (pid ", lines[0],
                                               ")"));
}

// Removes the file if its owner is dead. ALREADY_EXISTS if he is not.
absl::Status RemoveStale(const fs::path& file) {
  auto lock = TryLock(file);
  if (absl::IsNotFound(lock.status())) return absl::OkStatus();
  if (!lock.ok()) return lock.status();
  return *lock ? RemoveFile(file) : HeldError(file);
}

}  // namespace

absl::StatusOr<TargetClaim> StateDir::ClaimTarget(std::string_view key, std::string_view owner) const {
  if (!IsKey(key)) {
    return absl::InvalidArgumentError(absl::StrCat("claim target: bad key ", std::string(key)));
  }
  const fs::path directory = path_ / "targets";
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return ErrnoStatus(errno, absl::StrCat("make directory ", directory.native()));
  }
  static std::atomic<int> count = 0;
  const fs::path staging = directory / absl::StrCat(".new.", ::getpid(), ".", ++count);
  SABOT_ASSIGN_OR_RETURN(std::optional<loader::UniqueFd> lock, TryLock(staging, /*create=*/true));
  absl::Cleanup remove = [&staging] { ::unlink(staging.c_str()); };
  if (!lock) return absl::InternalError(absl::StrCat("lock ", staging.native(), ": somebody else has it"));
  SABOT_RETURN_IF_ERROR(WriteAt(lock->get(), OwnerFile(owner), 0, staging));

  const fs::path file = directory / fs::path(key);
  // Who removes the file of a dead owner holds its lock for a moment: believe in an owner when he is seen
  // twice.
  for (int held = 0; ::link(staging.c_str(), file.c_str()) != 0;) {
    if (errno != EEXIST) return ErrnoStatus(errno, absl::StrCat("make ", file.native()));
    absl::Status stale = RemoveStale(file);
    if (absl::IsNotFound(stale)) continue;  // released meanwhile
    if (!stale.ok() && (!absl::IsAlreadyExists(stale) || ++held == 2)) return stale;
    if (held == 1) absl::SleepFor(absl::Milliseconds(2));
  }
  return TargetClaim(file, *std::move(lock));
}

absl::Status StateDir::RemoveDeadClaims() const {
  std::error_code error;
  const fs::path directory = path_ / "targets";
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    absl::Status removed = RemoveStale(entry.path());
    if (!removed.ok() && !absl::IsAlreadyExists(removed) && !absl::IsNotFound(removed)) return removed;
  }
  return absl::OkStatus();
}

TargetClaim& TargetClaim::operator=(TargetClaim&& other) noexcept {
  Release();
  path_ = std::move(other.path_);
  lock_ = std::move(other.lock_);
  return *this;
}

TargetClaim::~TargetClaim() { Release(); }

void TargetClaim::Release() {
  if (lock_.valid()) ::unlink(path_.c_str());
  lock_.Reset();
}

}  // namespace sabot::agent
