// SPDX-License-Identifier: Apache-2.0
//
// Probes of programs that attach to cgroups: to an empty one that is made for it.
#include <bpf/bpf.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "loader/bpf_insn.h"
#include "loader/probe_context.h"
#include "loader/probe_list.h"
#include "loader/probe_program.h"
#include "loader/status.h"

namespace sabot::loader {
namespace {

using namespace insn;

constexpr bpf_insn kReturnOne[] = {Set(BPF_REG_0, 1), Exit()};
// bpf_set_retval(-EPERM); return 1. Never run: the cgroup is empty.
constexpr bpf_insn kSetResult[] = {Set(BPF_REG_1, -EPERM), Call(BPF_FUNC_set_retval), Set(BPF_REG_0, 1),
                                   Exit()};

// Where a cgroup v2 is mounted; empty if nowhere. Field 5 of a line is the place; what follows " - " is the
// type.
std::string FindTree() {
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    if (line.find(" - cgroup2 ") == line.npos) continue;
    std::istringstream fields(line);
    std::string id, parent, device, root, path;
    fields >> id >> parent >> device >> root >> path;
    return path;
  }
  return "";
}

// A copy of the mount that is ours alone, because the one that is seen may be read-only, as it is in
// containers. Not a new mount of the file system: that would reset the options of the whole tree (nsdelegate,
// memory_recursiveprot...).
absl::StatusOr<UniqueFd> OpenTree() {
  std::string path = FindTree();
  if (path.empty()) return absl::UnimplementedError("no cgroup v2 is mounted");
  UniqueFd tree(::open_tree(AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  if (!tree.valid()) return ErrnoStatus(errno, absl::StrCat("clone the mount of ", path));
  mount_attr writable{};
  writable.attr_clr = MOUNT_ATTR_RDONLY;
  if (::mount_setattr(tree.get(), "", AT_EMPTY_PATH, &writable, sizeof(writable)) < 0) {
    return ErrnoStatus(errno, absl::StrCat("make a clone of the mount of ", path, " writable"));
  }
  return tree;
}

// An empty cgroup that is removed with this object.
class ThrowAwayCgroup {
 public:
  static absl::StatusOr<ThrowAwayCgroup> Create() {
    SABOT_ASSIGN_OR_RETURN(UniqueFd tree, OpenTree());
    std::string name = absl::StrCat("sabot-probe-", ::getpid(), "-", ::gettid());
    if (::mkdirat(tree.get(), name.c_str(), 0700) < 0) return ErrnoStatus(errno, "create a cgroup");
    ThrowAwayCgroup made(std::move(tree), std::move(name));
    made.cgroup_ =
        UniqueFd(::openat(made.tree_.get(), made.name_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!made.cgroup_.valid()) return ErrnoStatus(errno, "open a cgroup");
    return made;
  }
  ThrowAwayCgroup(ThrowAwayCgroup&&) noexcept = default;
  ThrowAwayCgroup& operator=(ThrowAwayCgroup&&) = delete;
  ~ThrowAwayCgroup() {
    if (tree_.valid()) ::unlinkat(tree_.get(), name_.c_str(), AT_REMOVEDIR);
  }
  int fd() const { return cgroup_.get(); }

 private:
  ThrowAwayCgroup(UniqueFd tree, std::string name) : tree_(std::move(tree)), name_(std::move(name)) {}
  UniqueFd tree_;
  std::string name_;
  UniqueFd cgroup_;
};

Finding AttachesToCgroup(const ProbeProgram& program) {
  LoadResult loaded = LoadProgram(program);
  if (!loaded.ok()) return LoadFailed(program, loaded);
  absl::StatusOr<ThrowAwayCgroup> cgroup = ThrowAwayCgroup::Create();
  if (!cgroup.ok()) return Failed(cgroup.status(), kSysAdmin);
  auto type = static_cast<bpf_attach_type>(program.attach_type);
  UniqueFd link(::bpf_link_create(loaded.fd.get(), cgroup->fd(), type, nullptr));
  if (link.valid()) return Yes(absl::StrCat(program.what, " was attached to an empty cgroup"));
  return Failed(absl::StrCat("attach ", program.what, " to an empty cgroup"), errno, {EINVAL},
                program.needed);
}

}  // namespace

Finding ProbeCgroupV2(ProbeContext&) {
  // Told apart from a tree that is not there: without /proc, or without descriptors, nothing is known.
  if (!std::ifstream("/proc/self/mountinfo"))
    return Unknown("read /proc/self/mountinfo: it cannot be opened");
  std::string path = FindTree();
  if (path.empty()) return No("no cgroup v2 is mounted");
  return Yes(absl::StrCat("cgroup v2 is mounted at ", path));
}

Finding ProbeCgroupSkb(ProbeContext&) {
  return AttachesToCgroup({.what = "a cgroup_skb program",
                           .type = BPF_PROG_TYPE_CGROUP_SKB,
                           .code = kReturnOne,
                           .attach_type = BPF_CGROUP_INET_EGRESS,
                           .needed = kBpfNetwork});
}

Finding ProbeCgroupSockAddr(ProbeContext&) {
  return AttachesToCgroup({.what = "a cgroup/connect4 program that calls bpf_set_retval",
                           .type = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
                           .code = kSetResult,
                           .attach_type = BPF_CGROUP_INET4_CONNECT,
                           .needed = kBpfNetwork});
}

Finding ProbeCgroupSockopt(ProbeContext&) {
  return AttachesToCgroup({.what = "a cgroup/setsockopt program that calls bpf_set_retval",
                           .type = BPF_PROG_TYPE_CGROUP_SOCKOPT,
                           .code = kSetResult,
                           .attach_type = BPF_CGROUP_SETSOCKOPT,
                           .needed = kBpfNetwork});
}

}  // namespace sabot::loader
