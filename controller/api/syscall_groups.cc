// SPDX-License-Identifier: Apache-2.0
//
// Groups of system calls. libseccomp has none; each name here is one of its own, which a test holds.
#include <algorithm>

#include "controller/api/syscall_chaos.h"

namespace sabot::api {
namespace {

struct Group {
  std::string_view name;
  std::string_view calls;  // separated by blanks
};

constexpr Group kGroups[] = {
    {"%file",
     "access chdir chmod chown chroot close copy_file_range creat dup dup2 dup3 faccessat faccessat2 "
     "fadvise64 "
     "fallocate fchdir fchmod fchmodat fchown fchownat fcntl fdatasync fgetxattr flistxattr flock "
     "fremovexattr "
     "fsetxattr fstat fstatfs fsync ftruncate futimesat getdents getdents64 getxattr lchown lgetxattr link "
     "linkat "
     "listxattr llistxattr lremovexattr lseek lsetxattr lstat mkdir mkdirat mknod mknodat newfstatat open "
     "openat "
     "openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv "
     "removexattr "
     "rename renameat renameat2 rmdir sendfile setxattr splice stat statfs statx symlink symlinkat sync "
     "sync_file_range syncfs truncate unlink unlinkat utime utimensat utimes write writev"},
    {"%memory",
     "brk madvise mbind membarrier memfd_create migrate_pages mincore mlock mlock2 mlockall mmap move_pages "
     "mprotect "
     "mremap msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect process_madvise "
     "remap_file_pages "
     "set_mempolicy shmat shmctl shmdt shmget"},
    {"%network",
     "accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg "
     "sendmmsg "
     "sendmsg sendto setsockopt shutdown socket socketpair"},
};

}  // namespace

std::vector<std::string> SyscallGroup(std::string_view name) {
  std::vector<std::string> calls;
  for (const Group& group : kGroups) {
    if (group.name != name) continue;
    for (std::string_view rest = group.calls; !rest.empty();) {
      const size_t end = std::min(rest.find(' '), rest.size());
      calls.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return calls;
}

std::vector<std::string> SyscallGroups() {
  std::vector<std::string> names;
  for (const Group& group : kGroups) names.emplace_back(group.name);
  return names;
}

}  // namespace sabot::api
