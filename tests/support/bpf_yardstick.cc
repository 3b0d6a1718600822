// SPDX-License-Identifier: Apache-2.0
#include "tests/support/bpf_yardstick.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_tun.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>
#include <functional>

#include "tests/support/require.h"

namespace sabot::test {
namespace {

using loader::UniqueFd;

// Not in the headers of Debian 12; part of the kernel's stable interface since 6.6.
constexpr auto kTcxEgress = static_cast<bpf_attach_type>(47);

bpf_insn Mov32Imm(__u8 reg, __u32 value) {
  return {.code = BPF_ALU | BPF_MOV | BPF_K,
          .dst_reg = reg,
          .src_reg = 0,
          .off = 0,
          .imm = static_cast<__s32>(value)};
}
bpf_insn Call(__s32 helper) {
  return {.code = BPF_JMP | BPF_CALL, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = helper};
}
bpf_insn JumpIfGreaterOrEqual(__u8 left, __u8 right, __s16 skip) {
  return {.code = BPF_JMP | BPF_JGE | BPF_X, .dst_reg = left, .src_reg = right, .off = skip, .imm = 0};
}
bpf_insn Exit() { return {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}; }

void Quiet() {
  libbpf_set_print([](libbpf_print_level, const char*, va_list) { return 0; });
}

// The reason that `attempt` gives up with, or "".
std::string Reason(const std::function<void()>& attempt) {
  try {
    attempt();
  } catch (const ArrangementFailed& failed) {
    return failed.what();
  }
  return "";
}

// A namespace with a device "d0".
Resident& WithDevice(Resident& host) {
  host.Run({"ip", "link", "add", "d0", "type", "veth", "peer", "name", "d1"});
  return host;
}

}  // namespace

UniqueFd LoadDropper(DropperKind kind, double probability, const std::string& name) {
  bool tc = kind == DropperKind::kTc;
  __u32 drop = tc ? TC_ACT_SHOT : 0, pass = tc ? TC_ACT_OK : 1;
  // prandom_u32 is uniform in [0, 2^32): r0 < threshold with the probability asked for; 1.0 always drops.
  auto threshold = static_cast<__u32>(probability * 4294967295.0);
  if (probability >= 1) pass = drop;
  const bpf_insn program[] = {
      Call(BPF_FUNC_get_prandom_u32),
      Mov32Imm(1, threshold),
      JumpIfGreaterOrEqual(0, 1, 2),
      Mov32Imm(0, drop),
      Exit(),
      Mov32Imm(0, pass),
      Exit(),
  };
  int fd = bpf_prog_load(tc ? BPF_PROG_TYPE_SCHED_CLS : BPF_PROG_TYPE_CGROUP_SKB, name.c_str(), "GPL",
                         program, sizeof(program) / sizeof(program[0]), nullptr);
  return UniqueFd(RequireSyscall(fd, "load a BPF program that drops packets"));
}

UniqueFd AttachTcxEgress(const Resident& host, const std::string& device, int program_fd) {
  UniqueFd link;
  host.Inside([&] {
    int index = static_cast<int>(::if_nametoindex(device.c_str()));
    Require(index > 0, "find the device " + device);
    link =
        UniqueFd(RequireSyscall(bpf_link_create(program_fd, index, kTcxEgress, nullptr), "make a tcx link"));
  });
  return link;
}

UniqueFd AttachCgroupEgress(const std::string& cgroup, int program_fd) {
  UniqueFd directory(RequireSyscall(::open(cgroup.c_str(), O_DIRECTORY | O_CLOEXEC), "open " + cgroup));
  return UniqueFd(RequireSyscall(
      bpf_link_create(program_fd, directory.get(), BPF_CGROUP_INET_EGRESS, nullptr), "attach to " + cgroup));
}

void AttachClsactEgress(const Resident& host, const std::string& device, int program_fd) {
  Quiet();
  host.Inside([&] {
    bpf_tc_hook hook{};
    hook.sz = sizeof(hook);
    hook.ifindex = static_cast<int>(::if_nametoindex(device.c_str()));
    hook.attach_point = BPF_TC_EGRESS;
    int error = bpf_tc_hook_create(&hook);
    Require(error == 0 || error == -EEXIST, std::string("add clsact: ") + std::strerror(-error));
    bpf_tc_opts options{};
    options.sz = sizeof(options);
    options.prog_fd = program_fd;
    error = bpf_tc_attach(&hook, &options);
    Require(error == 0, std::string("add a BPF filter to clsact: ") + std::strerror(-error));
  });
}

std::string WhyNotTcx() {
  return Reason([] {
    Resident host("tcx-check");
    AttachTcxEgress(WithDevice(host), "d0", LoadDropper(DropperKind::kTc, 0).get());
  });
}

std::string WhyNotClsact() {
  return Reason([] {
    Resident host("clsact-check");
    AttachClsactEgress(WithDevice(host), "d0", LoadDropper(DropperKind::kTc, 0).get());
  });
}

std::string WhyNotCgroupSkb() {
  return Reason([] {
    TestCgroup cgroup("cgroup-check");
    AttachCgroupEgress(cgroup.path(), LoadDropper(DropperKind::kCgroup, 0).get());
  });
}

std::string WhyNotQdisc(const std::string& kind) {
  return Reason([&] {
    Resident host("qdisc-check");
    WithDevice(host).Run({"tc", "qdisc", "add", "dev", "d0", "root", kind});
  });
}

std::string WhyNotTap() {
  return Reason([] {
    Resident host("tap-check");
    host.Inside([] {
      UniqueFd tun(RequireSyscall(::open("/dev/net/tun", O_RDWR | O_CLOEXEC), "open /dev/net/tun"));
      ifreq request{};
      request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
      RequireSyscall(::ioctl(tun.get(), TUNSETIFF, &request), "make a tap device");
    });
  });
}

std::string WhyNotOverride() {
  return Reason([] {
    Quiet();
    const bpf_insn program[] = {Mov32Imm(2, 0), Call(BPF_FUNC_override_return), Mov32Imm(0, 0), Exit()};
    UniqueFd(RequireSyscall(bpf_prog_load(BPF_PROG_TYPE_KPROBE, "yardstick", "GPL", program,
                                          sizeof(program) / sizeof(program[0]), nullptr),
                            "load a kprobe program that overrides a result"));
  });
}

std::string WhyNotFmodRet(const std::string& function) {
  return Reason([&] {
    Quiet();
    const int id = libbpf_find_vmlinux_btf_id(function.c_str(), BPF_MODIFY_RETURN);
    Require(id > 0, "find " + function + " in the kernel's BTF");
    const bpf_insn program[] = {Mov32Imm(0, 0), Exit()};
    LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_MODIFY_RETURN,
                .attach_btf_id = static_cast<__u32>(id));
    UniqueFd loaded(RequireSyscall(bpf_prog_load(BPF_PROG_TYPE_TRACING, "yardstick", "GPL", program,
                                                 sizeof(program) / sizeof(program[0]), &options),
                                   "load an fmod_ret program for " + function));
    UniqueFd(RequireSyscall(bpf_raw_tracepoint_open(nullptr, loaded.get()), "attach to " + function));
  });
}

std::string WhyNotCgroupConnect() {
  return Reason([] {
    Quiet();
    const bpf_insn program[] = {Mov32Imm(1, static_cast<__u32>(-EPERM)), Call(BPF_FUNC_set_retval),
                                Mov32Imm(0, 1), Exit()};
    LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_CGROUP_INET4_CONNECT);
    UniqueFd loaded(RequireSyscall(bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, "yardstick", "GPL", program,
                                                 sizeof(program) / sizeof(program[0]), &options),
                                   "load a connect4 program"));
    TestCgroup cgroup("connect-check");
    UniqueFd directory(
        RequireSyscall(::open(cgroup.path().c_str(), O_DIRECTORY | O_CLOEXEC), "open " + cgroup.path()));
    UniqueFd(RequireSyscall(bpf_link_create(loaded.get(), directory.get(), BPF_CGROUP_INET4_CONNECT, nullptr),
                            "attach to a cgroup"));
  });
}

}  // namespace sabot::test
