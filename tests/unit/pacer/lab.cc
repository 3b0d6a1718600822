// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/pacer/lab.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <thread>

namespace sabot::pacer {
namespace {

using loader::UniqueFd;

// BPF_TCX_INGRESS and BPF_TCX_EGRESS, missing from older headers.
constexpr auto kTcxIngress = static_cast<bpf_attach_type>(46);
constexpr auto kTcxEgress = static_cast<bpf_attach_type>(47);

// A tcx link; none where the kernel (before 6.6) has no tcx, and then a filter of clsact, which goes with its
// device.
UniqueFd Attach(const bpf_program* program, int device, bpf_tc_attach_point point) {
  int fd = bpf_program__fd(program);
  UniqueFd link(bpf_link_create(fd, device, point == BPF_TC_INGRESS ? kTcxIngress : kTcxEgress, nullptr));
  if (link.valid()) return link;
  LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = device, .attach_point = point);
  LIBBPF_OPTS(bpf_tc_opts, filter, .prog_fd = fd);
  bpf_tc_hook_create(&hook);
  Need(bpf_tc_attach(&hook, &filter) == 0, "attach a program to a device");
  return link;
}

void DetachFilters(int device) {
  constexpr auto kBoth = static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS);
  LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = device, .attach_point = kBoth);
  bpf_tc_hook_destroy(&hook);
}
constexpr uint32_t kHeartbeatIndex = 700;  // beyond the first page

}  // namespace

void Need(bool ok, const std::string& attempt) {
  if (!ok) throw std::runtime_error(attempt + ": " + std::strerror(errno));
}

double TimeScale() {
  const char* text = std::getenv("SABOT_TIME_SCALE");
  return text ? std::max(1.0, std::atof(text)) : 1;
}

Namespace::Namespace() {
  std::thread([this] {
    if (unshare(CLONE_NEWNET) == 0) fd_.Reset(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  }).join();
  Need(fd_.valid(), "make a network namespace");
  Need(Shell("ip link set lo up"), "turn on lo");
}

void Namespace::Run(const std::function<void()>& work) const {
  std::exception_ptr thrown;
  std::thread([&] {
    try {
      Need(setns(fd_.get(), CLONE_NEWNET) == 0, "enter a network namespace");
      work();
    } catch (...) {
      thrown = std::current_exception();
    }
  }).join();
  if (thrown) std::rethrow_exception(thrown);
}

bool Namespace::Shell(const std::string& command) const {
  int status = -1;
  Run([&] { status = std::system(command.c_str()); });
  return status == 0;
}

Lab::Lab(uint64_t max_bytes) {
  Connect();
  sender.Run([&] {
    auto made = Tap::Create();
    if (!made.ok()) throw std::runtime_error(std::string(made.status().message()));
    tap = std::move(*made);
    StartPacing(max_bytes);
  });
}

Lab::~Lab() { handover_bpf__destroy(programs); }

void Lab::Connect() {
  std::string peer = "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(receiver.fd());
  Need(sender.Shell("ip link add eth0 type veth peer name eth0 netns " + peer), "make a veth pair");
  // Permanent neighbours, so that nothing crosses the wire but what the tests send.
  const char* hosts[] = {"1", "2"};
  for (int i = 0; i < 2; ++i) {
    std::string host = hosts[i], other = hosts[1 - i];
    std::string script =
        "ip link set eth0 address 02:00:00:00:00:0$HOST addrgenmode none up &&"
        "ip address add 10.0.0.$HOST/24 dev eth0 &&"
        "ip address add fd00::$HOST/64 dev eth0 nodad &&"
        "ip neighbour add 10.0.0.$OTHER lladdr 02:00:00:00:00:0$OTHER dev eth0 &&"
        "ip neighbour add fd00::$OTHER lladdr 02:00:00:00:00:0$OTHER dev eth0";
    Need((i == 0 ? sender : receiver).Shell("HOST=" + host + "; OTHER=" + other + ";" + script),
         "configure eth0");
  }
}

void Lab::StartPacing(uint64_t max_bytes) {
  programs = handover_bpf__open_and_load();
  Need(programs, "load the programs");
  programs->bss->tap_ifindex = tap->ifindex();
  programs->bss->device_ifindex = if_nametoindex("eth0");
  programs->bss->heartbeat_index = kHeartbeatIndex;
  int device = programs->bss->device_ifindex;
  egress_link_ = Attach(programs->progs.hand_over, device, BPF_TC_EGRESS);
  UniqueFd back = Attach(programs->progs.take_back, tap->ifindex(), BPF_TC_INGRESS);
  PacerOptions options;
  options.tap_fd = tap->fd();
  options.heartbeat_fd = bpf_map__fd(programs->maps.heartbeats);
  options.heartbeat_index = kHeartbeatIndex;
  options.max_bytes = max_bytes;
  if (back.valid()) options.kept_fds = {back.get()};
  auto started = StartPacer(options);
  if (!started.ok()) throw std::runtime_error(std::string(started.status().message()));
  pacer = std::move(*started);
  tap->CloseFd();
  // It answers, so its heart beats.
  Need(QueryStats(pacer->control_fd(), absl::Seconds(2)).ok(), "ask the pacer");
}

void Lab::Delay(absl::Duration delay, absl::Duration other) {
  programs->bss->other_delay_ns = absl::ToInt64Nanoseconds(other);
  programs->bss->delay_ns = absl::ToInt64Nanoseconds(delay);
}

bool Lab::TapExists() const {
  bool exists = false;
  sender.Run([&] { exists = if_nametoindex(tap->name().c_str()) != 0; });
  return exists;
}

uint64_t Lab::heartbeat() const {
  uint64_t beat = 0;
  Need(bpf_map_lookup_elem(bpf_map__fd(programs->maps.heartbeats), &kHeartbeatIndex, &beat) == 0,
       "read the heartbeat");
  return beat;
}

void Lab::AgentDies() {
  if (!egress_link_.valid()) sender.Run([this] { DetachFilters(programs->bss->device_ifindex); });
  egress_link_.Reset();
  pacer->LetGo();
}

void Lab::Offloads(bool on) const {
  sender.Run([on] {
    UniqueFd socket(::socket(AF_INET, SOCK_DGRAM, 0));
    for (uint32_t command : {ETHTOOL_STXCSUM, ETHTOOL_SSG, ETHTOOL_STSO}) {
      ethtool_value value = {.cmd = command, .data = on};
      ifreq parameter = {};
      std::strcpy(parameter.ifr_name, "eth0");
      parameter.ifr_data = reinterpret_cast<char*>(&value);
      Need(ioctl(socket.get(), SIOCETHTOOL, &parameter) == 0, "switch the offloads of eth0");
    }
  });
}

std::string WhyNoLab() {
  if (geteuid() != 0) return "needs root";
  if (access("/dev/net/tun", R_OK | W_OK) != 0) return "needs /dev/net/tun";
  return "";
}

}  // namespace sabot::pacer
