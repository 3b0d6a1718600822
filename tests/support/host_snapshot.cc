// SPDX-License-Identifier: Apache-2.0
#include "tests/support/host_snapshot.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tests/support/bpf_inventory.h"
#include "tests/support/clock.h"
#include "tests/support/netlink_dump.h"
#include "tests/support/process_table.h"
#include "tests/support/require.h"
#include "tests/support/subprocess.h"
#include "tests/support/temp_dir.h"

namespace sabot::test {
namespace {

namespace fs = std::filesystem;
using loader::UniqueFd;
using Lines = std::set<std::string>;

constexpr int kTcxIngress = 46, kTcxEgress = 47, kLastAttachType = 63;

void AddLines(Lines& lines, const std::string& prefix, const std::string& text) {
  std::vector<std::string> all = absl::StrSplit(text, '\n', absl::SkipWhitespace());
  for (const std::string& line : all) {
    lines.insert(absl::StrCat(prefix, ": ", line));
  }
}

std::vector<std::string> Devices() {
  std::vector<std::string> names;
  struct if_nameindex* all = ::if_nameindex();
  for (struct if_nameindex* one = all; one != nullptr && one->if_index != 0; ++one)
    names.emplace_back(one->if_name);
  ::if_freenameindex(all);
  return names;
}

void AddTcxPrograms(Lines& lines, const std::string& prefix, const std::vector<std::string>& devices) {
  for (const std::string& device : devices) {
    int index = static_cast<int>(::if_nametoindex(device.c_str()));
    for (int type : {kTcxIngress, kTcxEgress}) {
      for (const std::string& program : AttachedPrograms(index, type)) {
        lines.insert(absl::StrCat(prefix, " tcx ", type == kTcxIngress ? "ingress" : "egress", " of ", device,
                                  ": prog ", program));
      }
    }
  }
}

// The per-device settings of the caller's namespace; /proc/sys/net shows that of the thread that reads it.
void AddSysctls(Lines& lines, const std::string& prefix) {
  for (const char* base : {"/proc/sys/net/ipv4/conf", "/proc/sys/net/ipv6/conf"}) {
    std::error_code error;
    for (const auto& entry : fs::recursive_directory_iterator(base, error)) {
      if (!entry.is_regular_file(error)) continue;
      std::string name = entry.path().string().substr(std::string_view("/proc/sys/").size());
      AddLines(lines, absl::StrCat(prefix, " sysctl ", name), ReadFile(entry.path()));
    }
  }
  AddLines(lines, prefix + " sysctl ip_forward", ReadFile("/proc/sys/net/ipv4/ip_forward"));
}

void AddNamespace(Lines& lines, const Resident& resident) {
  const std::string& role = resident.role();
  int netns = resident.netns_fd();
  resident.Inside([&] {
    std::vector<std::string> devices = Devices();
    for (const std::string& line : DumpNamespace()) lines.insert(role + " " + line);
    AddTcxPrograms(lines, role, devices);
    AddSysctls(lines, role);
    for (int type : {int{BPF_FLOW_DISSECTOR}, int{BPF_SK_LOOKUP}}) {
      for (const std::string& program : AttachedPrograms(netns, type)) {
        lines.insert(absl::StrCat(role, " namespace program of type ", type, ": ", program));
      }
    }
  });
}

void AddCgroup(Lines& lines, const Resident& resident) {
  UniqueFd fd(::open(resident.cgroup().c_str(), O_DIRECTORY | O_CLOEXEC));
  for (int type = 0; type <= kLastAttachType; ++type) {
    for (const std::string& program : AttachedPrograms(fd.get(), type)) {
      lines.insert(absl::StrCat(resident.role(), " cgroup program of attach type ", type, ": ", program));
    }
  }
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(resident.cgroup(), error)) {
    if (entry.is_directory(error)) lines.insert("cgroup " + entry.path().string());
  }
}

// A process that lives and does not descend from this test.
bool IsOthersProcess(pid_t pid) {
  std::map<pid_t, ProcessInfo> processes = Processes();
  if (!processes.contains(pid)) return false;
  while (pid > 1 && pid != ::getpid()) pid = processes[pid].parent;
  return pid != ::getpid();
}

// Named after the product, and not marked as another test's or another live process's.
bool IsProducts(const std::string& text, const SnapshotScope& scope) {
  if (!absl::StrContains(text, "sabot")) return false;
  if (!scope.state_dir.empty() && absl::StrContains(text, scope.state_dir)) return true;
  static const std::regex by_test("sabot-t(?:est-)?([0-9]+)"), by_process("sabot-[a-z]+-([0-9]+)"),
      temporary("sabot-[a-z]+-[A-Za-z0-9]{6}(?![A-Za-z0-9])");
  std::smatch match;
  if (std::regex_search(text, match, by_test)) return match[1].str() == std::to_string(::getpid());
  if (std::regex_search(text, match, by_process)) return !IsOthersProcess(std::atoi(match[1].str().c_str()));
  return !std::regex_search(text, temporary);
}

void AddEntries(Lines& lines, const std::string& what, const std::string& directory,
                const SnapshotScope& scope) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    std::string name = entry.path().filename().string();
    if (IsProducts(name, scope)) lines.insert(absl::StrCat(what, " ", name));
  }
}

void AddMachine(Lines& lines, std::set<std::string>& machine_devices, const SnapshotScope& scope) {
  for (const std::string& device : Devices()) {
    machine_devices.insert(device);
    if (IsProducts(device, scope)) lines.insert("machine link " + device);
  }
  for (const std::string& device : machine_devices) {
    std::string prefix = "machine " + device;
    for (const std::string& line : DumpQdiscs(device)) lines.insert(prefix + ": " + line);
    Lines tcx;
    AddTcxPrograms(tcx, prefix, {device});
    lines.merge(tcx);
  }
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    if (IsProducts(line, scope)) lines.insert("mount " + line);
  }
  AddEntries(lines, "named namespace", "/run/netns", scope);
  AddEntries(lines, "BPF pin", "/sys/fs/bpf", scope);
  AddEntries(lines, "cgroup", CgroupV2Mount(), scope);
}

void AddStrays(Lines& lines) {
  std::set<pid_t> known = KnownProcesses();
  std::map<pid_t, ProcessInfo> processes = Processes();
  for (const auto& [pid, process] : processes) {
    pid_t ancestor = pid;
    while (ancestor > 1 && ancestor != ::getpid() && !known.contains(ancestor))
      ancestor = processes[ancestor].parent;
    if (pid == ::getpid() || ancestor != ::getpid()) continue;
    if (process.state == 'Z') {
      if (process.parent == ::getpid()) ::waitpid(pid, nullptr, WNOHANG);
      continue;
    }
    lines.insert(absl::StrCat("stray process ", process.name, " (", pid, ")"));
  }
}

void AddStateDir(Lines& lines, const std::string& state_dir) {
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(state_dir, error)) {
    // An empty directory is no state: one that holds claims may outlive them.
    if (entry.is_directory(error) && fs::is_empty(entry.path(), error)) continue;
    lines.insert("state " + entry.path().string().substr(state_dir.size()));
  }
}

}  // namespace

HostSnapshot HostSnapshot::Take(const SnapshotScope& scope) {
  HostSnapshot snapshot;
  for (const Resident* resident : scope.residents) {
    if (resident->pid() < 0) continue;
    AddNamespace(snapshot.lines_, *resident);
    if (resident->has_cgroup()) AddCgroup(snapshot.lines_, *resident);
  }
  AddMachine(snapshot.lines_, snapshot.machine_devices_, scope);
  AddStrays(snapshot.lines_);
  if (!scope.state_dir.empty()) AddStateDir(snapshot.lines_, scope.state_dir);
  BpfInventory inventory = BpfInventory::Take();
  for (const auto& [object, text] : inventory.described) snapshot.bpf_objects_.insert(object);
  for (const BpfObject& object : inventory.Unheld()) {
    snapshot.unheld_bpf_.emplace_back(object,
                                      "BPF object that nothing holds: " + inventory.described[object]);
  }
  return snapshot;
}

std::vector<std::string> HostSnapshot::DifferenceFrom(const HostSnapshot& before) const {
  // A device of the machine's that came or went is somebody else's, with all that it carries.
  auto passing = [](const std::string& line, const HostSnapshot& other) {
    if (!line.starts_with("machine ") || line.starts_with("machine link")) return false;
    std::string device = line.substr(8, line.find_first_of(": ", 8) - 8);
    return !other.machine_devices_.contains(device) && !absl::StrContains(device, "sabot");
  };
  // What stood in a place of the whole machine and went was somebody else's and is no loss of ours.
  auto in_a_common_place = [](const std::string& line) {
    for (const char* what : {"cgroup ", "mount ", "named namespace ", "BPF pin ", "machine link "}) {
      if (line.starts_with(what)) return true;
    }
    return false;
  };
  std::vector<std::string> difference;
  for (const std::string& line : before.lines_) {
    if (lines_.contains(line) || passing(line, *this) || in_a_common_place(line)) continue;
    difference.push_back("- " + line);
  }
  for (const std::string& line : lines_) {
    if (!before.lines_.contains(line) && !passing(line, before)) difference.push_back("+ " + line);
  }
  for (const auto& [object, line] : unheld_bpf_) {
    if (!before.bpf_objects_.contains(object)) difference.push_back("+ " + line);
  }
  return difference;
}

std::vector<std::string> DifferenceSince(const HostSnapshot& before, const SnapshotScope& scope,
                                         absl::Duration patience) {
  int64_t deadline_ns = NowNs() + absl::ToInt64Nanoseconds(Scaled(patience));
  // The kernel empties a program array that nobody holds any more from a work queue. Asking for it by its id
  // just before it does queues that a second time, in vain, and the array stays for ever.
  ::usleep(50'000);
  while (true) {
    std::vector<std::string> difference = HostSnapshot::Take(scope).DifferenceFrom(before);
    if (difference.empty() || NowNs() > deadline_ns) return difference;
    ::usleep(100'000);
  }
}

}  // namespace sabot::test
