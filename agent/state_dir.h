// SPDX-License-Identifier: Apache-2.0
//
// The state directory: where everything on this machine that holds faults (`sabot run`, `sabot-agent`) can be
// found, also by those who come after it died. It lives on a file system that is empty after a reboot.
//
//   <dir>/<name>/{lock,journal,socket}   one instance; <name> is its pid, or <pid>.<n> for one that died with
//                                        deeds in its journal and whose pid was given out again
//   <dir>/halted                         exists: no new faults on this machine until `sabot resume`
//   <dir>/targets/<key>                  a target that an instance acts on, with its owner's pid and words
//
// An instance is live while the lock in its directory is held; the kernel lets go of it when its process
// ends. Locks are "open file description" locks: they can be tested without being taken, belong to one open
// file (so a second claim in the same process is refused like any other) and are not inherited over exec.
#ifndef SABOT_AGENT_STATE_DIR_H_
#define SABOT_AGENT_STATE_DIR_H_

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "loader/fd.h"

namespace sabot::agent {

// One holder of faults, seen from inside: keeps the directory's lock. When it goes, and its journal says that
// nothing is left to undo (or there is none), the directory is removed; otherwise it stays for `sabot undo`.
// Move-only; not thread-safe.
class Instance {
 public:
  Instance(Instance&&) noexcept = default;
  Instance& operator=(Instance&& other) noexcept;
  ~Instance();

  const std::filesystem::path& directory() const { return directory_; }
  std::filesystem::path journal_path() const { return directory_ / "journal"; }
  std::filesystem::path socket_path() const { return directory_ / "socket"; }

 private:
  friend class StateDir;
  Instance(std::filesystem::path directory, loader::UniqueFd lock)
      : directory_(std::move(directory)), lock_(std::move(lock)) {}
  void Close();

  std::filesystem::path directory_;
  loader::UniqueFd lock_;
};

// One holder of faults, seen from outside.
struct InstanceInfo {
  std::string name;  // of its directory: "4242" or "4242.1"
  pid_t pid = 0;     // the one that it has or had
  bool live = false;
  std::filesystem::path directory;

  std::filesystem::path journal_path() const { return directory / "journal"; }
  std::filesystem::path socket_path() const { return directory / "socket"; }
};

// A target that is ours alone until the claim goes. Move-only; not thread-safe.
class TargetClaim {
 public:
  TargetClaim(TargetClaim&&) noexcept = default;
  TargetClaim& operator=(TargetClaim&& other) noexcept;
  ~TargetClaim();

 private:
  friend class StateDir;
  TargetClaim(std::filesystem::path path, loader::UniqueFd lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}
  void Release();

  std::filesystem::path path_;
  loader::UniqueFd lock_;
};

// All functions may be called from several threads and processes at once.
class StateDir {
 public:
  // The directory that `parameter` names, else $SABOT_STATE_DIR, else /run/sabot.
  static std::filesystem::path DefaultPath(std::string_view parameter = "");

  // Makes the directory (mode 0700) if it is not there. PERMISSION_DENIED if it belongs to another user or
  // others may write to it.
  static absl::StatusOr<StateDir> Open(std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }

  // The directory of this process, locked. What a dead process with our pid left there is kept aside if its
  // journal has open deeds. ALREADY_EXISTS if this process has an instance already.
  absl::StatusOr<Instance> CreateInstance() const;

  // Takes over the directory of a dead instance, to undo what its journal says; it is removed with the result
  // once that journal is clean. ALREADY_EXISTS if it is live or somebody else is undoing it; NOT_FOUND if it
  // has gone.
  absl::StatusOr<Instance> AdoptInstance(const InstanceInfo& dead) const;

  // Live and dead ones, ordered by pid. Directories that vanish meanwhile are left out.
  absl::StatusOr<std::vector<InstanceInfo>> ListInstances() const;

  // `key` names the target: "netns-4026532589", "cgroup-1234" (1 to 128 of [A-Za-z0-9._-], not starting with
  // a dot; INVALID_ARGUMENT otherwise). `owner` is what the refused will read, for example the command line.
  // ALREADY_EXISTS, naming owner and pid, while another claim on the key lives, in this process or another.
  // The claims of the dead do not count.
  absl::StatusOr<TargetClaim> ClaimTarget(std::string_view key, std::string_view owner) const;

  // Removes the claims of the dead, which are void but still files.
  absl::Status RemoveDeadClaims() const;

  // Halt is on disk when this returns; halting twice, or resuming what is not halted, is OK. `who` is kept
  // for messages.
  absl::Status Halt(std::string_view who) const;
  absl::Status Resume() const;
  // One system call (about a microsecond). Says yes if it cannot tell.
  bool IsHalted() const;

 private:
  explicit StateDir(std::filesystem::path path) : path_(std::move(path)) {}
  absl::Status ClearAway(const std::filesystem::path& directory) const;

  std::filesystem::path path_;
};

}  // namespace sabot::agent

#endif  // SABOT_AGENT_STATE_DIR_H_
