// SPDX-License-Identifier: Apache-2.0
#include "agent/syscall/call_table.h"

#include <seccomp.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace sabot::agent {
namespace {

// Calls that are carried out by a function of another name (arch/x86/entry/syscalls in the kernel's source).
constexpr std::pair<std::string_view, std::string_view> kOtherNames[] = {
    {"stat", "newstat"},   {"lstat", "newlstat"},      {"fstat", "newfstat"},   {"uname", "newuname"},
    {"umount2", "umount"}, {"sendfile", "sendfile64"}, {"mmap2", "mmap_pgoff"},
};

constexpr std::string_view kNeverReturn[] = {"exit", "exit_group", "restart_syscall", "rt_sigreturn",
                                             "sigreturn"};

// One row per hook: the calls that come through it once each. The row's place is the hook's number.
//
// Not here, though there is a hook: calls that come through it several times or not always (access, chdir:
// security_inode_permission for each part of the path; copy_file_range, sendfile, splice: twice
// security_file_permission), since percentages and counts would be wrong.
struct SecurityRow {
  std::string_view function;
  std::string_view calls;  // separated by blanks
};
constexpr SecurityRow kSecurity[] = {
    {"security_file_open", "open openat openat2 creat"},
    {"security_file_permission",
     "read pread64 readv preadv preadv2 write pwrite64 writev pwritev pwritev2 getdents getdents64"},
    {"security_inode_getattr", "stat lstat fstat newfstatat statx stat64 lstat64 fstat64 fstatat64"},
    {"security_path_truncate", "truncate ftruncate truncate64 ftruncate64"},
    {"security_file_truncate", "ftruncate ftruncate64"},  // 6.2; before that the path's is called
    {"security_path_unlink", "unlink unlinkat"},
    {"security_path_rmdir", "rmdir unlinkat"},
    {"security_path_mkdir", "mkdir mkdirat"},
    {"security_path_mknod", "mknod mknodat"},
    {"security_path_symlink", "symlink symlinkat"},
    {"security_path_link", "link linkat"},
    {"security_path_rename", "rename renameat renameat2"},
    {"security_path_chmod", "chmod fchmod fchmodat fchmodat2"},
    {"security_path_chown", "chown fchown lchown fchownat chown32 fchown32 lchown32"},
    {"security_path_chroot", "chroot"},
    {"security_path_notify", "inotify_add_watch fanotify_mark"},
    {"security_inode_readlink", "readlink readlinkat"},
    {"security_inode_setxattr", "setxattr lsetxattr fsetxattr"},
    {"security_inode_getxattr", "getxattr lgetxattr fgetxattr"},
    {"security_inode_listxattr", "listxattr llistxattr flistxattr"},
    {"security_inode_removexattr", "removexattr lremovexattr fremovexattr"},
    {"security_sb_statfs", "statfs fstatfs statfs64 fstatfs64"},
    {"security_sb_mount", "mount"},
    {"security_sb_umount", "umount umount2"},
    {"security_sb_pivotroot", "pivot_root"},
    {"security_file_fcntl", "fcntl fcntl64"},
    {"security_file_lock", "flock"},
    {"security_file_ioctl", "ioctl"},
    {"security_mmap_file", "mmap mmap2"},
    {"security_file_mprotect", "mprotect pkey_mprotect"},
    {"security_socket_create", "socket"},
    {"security_socket_socketpair", "socketpair"},
    {"security_socket_bind", "bind"},
    {"security_socket_connect", "connect"},
    {"security_socket_listen", "listen"},
    {"security_socket_accept", "accept accept4"},
    {"security_socket_sendmsg", "sendto sendmsg"},
    {"security_socket_recvmsg", "recvfrom recvmsg"},
    {"security_socket_getsockname", "getsockname"},
    {"security_socket_getpeername", "getpeername"},
    {"security_socket_getsockopt", "getsockopt"},
    {"security_socket_setsockopt", "setsockopt"},
    {"security_socket_shutdown", "shutdown"},
    {"security_bprm_creds_for_exec", "execve execveat"},
    {"security_task_alloc", "clone clone3 fork vfork"},
    {"security_task_kill", "kill tkill tgkill"},
    {"security_task_setpgid", "setpgid"},
    {"security_task_setscheduler", "sched_setscheduler sched_setattr sched_setaffinity"},
    {"security_settime64", "settimeofday clock_settime"},
};

struct CgroupRow {
  sabot_hook hook;
  std::string_view calls;
};
constexpr CgroupRow kCgroup[] = {
    {SABOT_HOOK_CONNECT, "connect"},
    {SABOT_HOOK_BIND, "bind"},
    {SABOT_HOOK_SENDMSG, "sendto sendmsg sendmmsg"},
    {SABOT_HOOK_GETSOCKOPT, "getsockopt"},
    {SABOT_HOOK_SETSOCKOPT, "setsockopt"},
};

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

bool Has(std::string_view words, std::string_view word) {
  const std::vector<std::string> all = Words(words);
  return std::find(all.begin(), all.end(), word) != all.end();
}

std::optional<uint32_t> NumberIn(uint32_t table, const std::string& call) {
  const int number = seccomp_syscall_resolve_name_arch(table, call.c_str());
  if (number < 0)
    return std::nullopt;  // __NR_SCMP_ERROR, or a number of libseccomp's own for calls of others
  return static_cast<uint32_t>(number);
}

bool CanMeet(CallRung rung, const std::string& call, std::span<const std::string> calls) {
  if (rung == CallRung::kSecurity) return !SecurityHooksOf(call).empty();
  if (rung != CallRung::kCgroup) return true;
  const auto hook = CgroupHookOf(call);
  if (!hook) return false;
  const auto all = CallsOf(*hook);
  return std::all_of(all.begin(), all.end(), [&](const std::string& other) {
    return std::find(calls.begin(), calls.end(), other) != calls.end();
  });
}

}  // namespace

CallNumbers NumbersOf(const std::string& call) {
  return {.native = NumberIn(SCMP_ARCH_X86_64, call), .compat = NumberIn(SCMP_ARCH_X86, call)};
}

bool MustNotFail(std::string_view call) {
  return std::find(std::begin(kNeverReturn), std::end(kNeverReturn), call) != std::end(kNeverReturn);
}

std::vector<std::string> EntryFunctions(const std::string& call, bool compat) {
  std::string name = call;
  for (const auto& [from, to] : kOtherNames) {
    if (call == from) name = to;
  }
  if (!compat) return {absl::StrCat("__x64_sys_", name)};
  return {absl::StrCat("__ia32_compat_sys_", name), absl::StrCat("__ia32_sys_", name)};
}

std::vector<SecurityHook> SecurityHooksOf(std::string_view call) {
  std::vector<SecurityHook> hooks;
  for (size_t row = 0; row < std::size(kSecurity); ++row) {
    if (!Has(kSecurity[row].calls, call)) continue;
    hooks.push_back({kSecurity[row].function, SABOT_HOOK_SECURITY + static_cast<uint32_t>(row)});
  }
  return hooks;
}

std::optional<sabot_hook> CgroupHookOf(std::string_view call) {
  for (const CgroupRow& row : kCgroup) {
    if (Has(row.calls, call)) return row.hook;
  }
  return std::nullopt;
}

std::vector<std::string> CallsOf(sabot_hook hook) {
  for (const CgroupRow& row : kCgroup) {
    if (row.hook == hook) return Words(row.calls);
  }
  return {};
}

std::optional<std::string> CannotMeet(CallRung rung, std::span<const std::string> calls, bool best_effort) {
  std::vector<std::string> cannot;
  for (const std::string& call : calls) {
    if (!CanMeet(rung, call, calls)) cannot.push_back(call);
  }
  if (cannot.empty() || (best_effort && cannot.size() < calls.size())) return std::nullopt;
  if (rung == CallRung::kCgroup) {
    if (const auto hook = CgroupHookOf(cannot.front()); hook && CallsOf(*hook).size() > 1) {
      return absl::StrCat("its hook cannot tell ", absl::StrJoin(CallsOf(*hook), ", "),
                          " apart: they must all be asked for");
    }
  }
  return absl::StrCat("it has no hook for ", absl::StrJoin(cannot, ", "));
}

}  // namespace sabot::agent
