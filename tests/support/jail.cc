// SPDX-License-Identifier: Apache-2.0
//
// sabot-test-jail [--no-bpf] [--hide-btf] [--full-disk DIR] [--nobody] -- COMMAND...
//
// Runs COMMAND on a machine that lacks something. What is mounted is so in a mount namespace of its own and
// goes with the process. Exits with 125 when the jail itself cannot be built.
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

void Must(bool ok, const std::string& attempt) {
  if (ok) return;
  std::fprintf(stderr, "sabot-test-jail: %s: %s\n", attempt.c_str(), std::strerror(errno));
  std::exit(125);
}

void OwnMounts() {
  Must(::unshare(CLONE_NEWNS) == 0, "make a mount namespace");
  Must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "make mounts private");
}

// Every bpf(2) answers EPERM, as a container's default filter does.
void ForbidBpf() {
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  Must(filter != nullptr, "make a seccomp filter");
  Must(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(bpf), 0) == 0, "forbid bpf(2)");
  Must(seccomp_load(filter) == 0, "load the seccomp filter");
  seccomp_release(filter);
}

// The kernel's BTF cannot be found; the directory is there and empty.
void HideBtf() {
  OwnMounts();
  Must(::mount("none", "/sys/kernel/btf", "tmpfs", MS_RDONLY, "size=4k") == 0, "cover /sys/kernel/btf");
  Must(::access("/sys/kernel/btf/vmlinux", F_OK) != 0, "hide /sys/kernel/btf/vmlinux");
}

// `directory` becomes a file system on which files can be made and not a byte be written.
void FillDisk(const std::string& directory) {
  OwnMounts();
  Must(::mount("none", directory.c_str(), "tmpfs", 0, "size=64k,mode=755") == 0, "mount a small disk");
  int fd = ::open((directory + "/ballast").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  Must(fd >= 0, "make the ballast");
  char block[4096] = {};
  while (::write(fd, block, sizeof(block)) > 0) {
  }
  Must(errno == ENOSPC, "fill the disk");
  ::close(fd);
}

void BecomeNobody() {
  constexpr uid_t kNobody = 65534;
  Must(::setgroups(0, nullptr) == 0, "drop groups");
  Must(::setresgid(kNobody, kNobody, kNobody) == 0, "drop the group");
  Must(::setresuid(kNobody, kNobody, kNobody) == 0, "drop root");
}

}  // namespace

int main(int argc, char** argv) {
  bool no_bpf = false, nobody = false;
  int i = 1;
  for (; i < argc && std::strcmp(argv[i], "--") != 0; ++i) {
    std::string option = argv[i];
    if (option == "--no-bpf") {
      no_bpf = true;
    } else if (option == "--nobody") {
      nobody = true;
    } else if (option == "--hide-btf") {
      HideBtf();
    } else if (option == "--full-disk" && i + 1 < argc) {
      FillDisk(argv[++i]);
    } else {
      errno = EINVAL;
      Must(false, "option " + option);
    }
  }
  errno = EINVAL;
  Must(i + 1 < argc, "no command");
  if (no_bpf) ForbidBpf();
  if (nobody) BecomeNobody();
  ::execvp(argv[i + 1], argv + i + 1);
  Must(false, std::string("run ") + argv[i + 1]);
}
