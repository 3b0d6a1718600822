// SPDX-License-Identifier: Apache-2.0
//
// The answers about this very kernel against what others say about it: iproute2, the kernel's list of
// symbols, its configuration where it can be seen.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "loader/probe.h"
#include "tests/unit/loader/testbed.h"

namespace sabot::loader {
namespace {

class ProbeTruth : public NetnsTest {
 protected:
  static const Finding& Get(Feature feature) {
    static const Features* const features = new Features(Features::Probe());
    return features->Get(feature);
  }
  static std::string Explain(Feature feature) {
    return std::string(FeatureName(feature)) + " is " + std::string(AnswerName(Get(feature).answer)) + ": " +
           Get(feature).reason;
  }
  // iproute2 can do it in a namespace of its own, or it cannot; both must be what the probe says.
  void ExpectAsCommand(Feature feature, const std::string& command) {
    Outcome outcome = Run(command);
    EXPECT_EQ(Get(feature).answer, outcome.exit_code == 0 ? Answer::kYes : Answer::kNo)
        << Explain(feature) << "\n"
        << command << ": " << outcome.output;
  }
};

TEST_F(ProbeTruth, QdiscsAreWhatTcCanMake) {
  MakeVeth();
  struct {
    Feature feature;
    const char* qdisc;
  } const kQdiscs[] = {{Feature::kFq, "root fq"},
                       {Feature::kNetem, "root netem delay 1ms"},
                       {Feature::kPrio, "root prio"},
                       {Feature::kTbf, "root tbf rate 1mbit burst 10k limit 10k"},
                       {Feature::kClsact, "clsact"}};
  for (const auto& [feature, qdisc] : kQdiscs) {
    ExpectAsCommand(feature, std::string("tc qdisc add dev a ") + qdisc);
    Run("tc qdisc del dev a root; tc qdisc del dev a clsact");
  }
}

TEST_F(ProbeTruth, AMissingQdiscIsSaidToBeUnknownToTheKernel) {
  for (Feature feature : {Feature::kFq, Feature::kNetem, Feature::kPrio, Feature::kTbf}) {
    if (Get(feature).answer != Answer::kNo) continue;
    EXPECT_NE(Get(feature).reason.find("No such file or directory (Specified qdisc"), std::string::npos)
        << Explain(feature);
  }
}

TEST_F(ProbeTruth, FqHorizonIsWhatTcShows) {
  MakeVeth();
  ExpectAsCommand(Feature::kFqHorizon,
                  "tc qdisc add dev a root fq horizon 7s && tc qdisc show dev a | grep -q 'horizon 7s'");
}

TEST_F(ProbeTruth, DevicesAreWhatIpCanMake) {
  ExpectAsCommand(Feature::kVeth, "ip link add name v0 type veth peer name v1");
  ExpectAsCommand(Feature::kIfb, "ip link add name i0 type ifb");
  ExpectAsCommand(Feature::kTun, "ip tuntap add name t0 mode tap");
  ExpectAsCommand(Feature::kTunVnetHdr, "ip tuntap add name t1 mode tap vnet_hdr");
}

TEST_F(ProbeTruth, FilesystemsAreWhatProcSays) {
  ExpectAsCommand(Feature::kBtf, "test -r /sys/kernel/btf/vmlinux");
  ExpectAsCommand(Feature::kCgroupV2, "grep -q '^[^ ]* [^ ]* cgroup2 ' /proc/self/mounts");
  // The probe has loaded the module by now, if it is one.
  Get(Feature::kFuse);
  ExpectAsCommand(Feature::kFuse, "test -c /dev/fuse && grep -qw fuse /proc/filesystems");
}

TEST_F(ProbeTruth, BpfLsmIsInTheListOfActiveModules) {
  std::ifstream file("/sys/kernel/security/lsm");
  std::string list;
  if (!(file >> list)) GTEST_SKIP() << "/sys/kernel/security/lsm cannot be read";
  bool active = ("," + list + ",").find(",bpf,") != std::string::npos;
  if (Get(Feature::kBpfLsm).answer == Answer::kDenied) GTEST_SKIP() << Explain(Feature::kBpfLsm);
  EXPECT_EQ(Get(Feature::kBpfLsm).answer, active ? Answer::kYes : Answer::kNo) << list << "\n"
                                                                               << Explain(Feature::kBpfLsm);
}

TEST_F(ProbeTruth, LockdownDeniesWritingToProcesses) {
  std::ifstream file("/sys/kernel/security/lockdown");
  std::string line;
  if (!std::getline(file, line)) GTEST_SKIP() << "/sys/kernel/security/lockdown cannot be read";
  bool open = line.find("[none]") != std::string::npos;
  EXPECT_EQ(Get(Feature::kProbeWriteUser).answer, open ? Answer::kYes : Answer::kDenied)
      << line << "\n"
      << Explain(Feature::kProbeWriteUser);
}

std::set<std::string> KernelSymbols() {
  std::set<std::string> symbols;
  std::ifstream file("/proc/kallsyms");
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    std::string address, type, name;
    fields >> address >> type >> name;
    symbols.insert(name);
  }
  return symbols;
}

// Without the function the kernel cannot have the feature; with it, it may refuse it, but not lack it.
TEST_F(ProbeTruth, FeaturesGoWithTheirFunctions) {
  std::set<std::string> symbols = KernelSymbols();
  if (symbols.size() < 1000) GTEST_SKIP() << "/proc/kallsyms cannot be read";
  struct {
    Feature feature;
    const char* function;
  } const kFunctions[] = {
      {Feature::kTcx, "tcx_link_attach"},
      {Feature::kCgroupSkb, "__cgroup_bpf_run_filter_skb"},
      {Feature::kCgroupSockAddr, "__cgroup_bpf_run_filter_sock_addr"},
      {Feature::kCgroupSockopt, "__cgroup_bpf_run_filter_setsockopt"},
      {Feature::kSkLookup, "bpf_sk_lookup_assign"},
      {Feature::kKprobe, "create_local_trace_kprobe"},
      {Feature::kKprobeOverride, "bpf_override_return"},
      {Feature::kFentry, "bpf_trampoline_link_prog"},
      {Feature::kTaskFileIter, "bpf_iter_task_file"},
      {Feature::kCopyFromUserTask, "bpf_copy_from_user_task"},
      {Feature::kTaskFromPid, "bpf_task_from_pid"},
      {Feature::kDPath, "bpf_d_path"},
      {Feature::kBpfLoop, "bpf_loop"},
      {Feature::kProbeWriteUser, "bpf_probe_write_user"},
      {Feature::kFusePassthrough, "fuse_passthrough_open"},
  };
  Get(Feature::kFuse);
  for (const auto& [feature, function] : kFunctions) {
    EXPECT_EQ(Get(feature).answer != Answer::kNo, symbols.contains(function)) << function << "\n"
                                                                              << Explain(feature);
  }
}

TEST_F(ProbeTruth, FmodRetOnSystemCallsNeedsFentryAndPermission) {
  if (Get(Feature::kFentry).answer != Answer::kYes) {
    EXPECT_NE(Get(Feature::kFmodRetSyscall).answer, Answer::kYes) << Explain(Feature::kFmodRetSyscall);
    GTEST_SKIP() << Explain(Feature::kFentry);
  }
  bool injection = KernelSymbols().contains("within_error_injection_list");
  if (injection) {
    EXPECT_EQ(Get(Feature::kFmodRetSyscall).answer, Answer::kYes) << Explain(Feature::kFmodRetSyscall);
  }
  EXPECT_EQ(Get(Feature::kFmodRetSecurity).answer, Answer::kYes) << Explain(Feature::kFmodRetSecurity);
}

// CONFIG_ symbols that are y or m; empty if this kernel does not show its configuration. In a VM its file may
// be given.
std::set<std::string> KernelConfiguration(const Netns& netns) {
  std::set<std::string> on;
  std::istringstream lines(RunIn(netns,
                                 "cat ${SABOT_KERNEL_CONFIG:-/boot/config-$(uname -r)} 2>/dev/null || zcat "
                                 "/proc/config.gz 2>/dev/null")
                               .output);
  for (std::string line; std::getline(lines, line);) {
    size_t equals = line.find('=');
    if (line.rfind("CONFIG_", 0) == 0 && equals != line.npos) on.insert(line.substr(7, equals - 7));
  }
  return on;
}

TEST_F(ProbeTruth, FeaturesGoWithTheConfiguration) {
  std::set<std::string> on = KernelConfiguration(netns());
  if (on.empty()) GTEST_SKIP() << "this kernel does not show its configuration";
  struct {
    Feature feature;
    const char* symbol;
  } const kSymbols[] = {
      {Feature::kBpf, "BPF_SYSCALL"},
      {Feature::kBtf, "DEBUG_INFO_BTF"},
      {Feature::kTcx, "NET_XGRESS"},
      {Feature::kClsact, "NET_SCH_INGRESS"},
      {Feature::kClsBpfDirectAction, "NET_CLS_BPF"},
      {Feature::kCgroupSkb, "CGROUP_BPF"},
      {Feature::kFq, "NET_SCH_FQ"},
      {Feature::kNetem, "NET_SCH_NETEM"},
      {Feature::kPrio, "NET_SCH_PRIO"},
      {Feature::kTbf, "NET_SCH_TBF"},
      {Feature::kVeth, "VETH"},
      {Feature::kIfb, "IFB"},
      {Feature::kTun, "TUN"},
      {Feature::kKprobe, "KPROBE_EVENTS"},
      {Feature::kKprobeOverride, "BPF_KPROBE_OVERRIDE"},
      {Feature::kFuse, "FUSE_FS"},
      {Feature::kFusePassthrough, "FUSE_PASSTHROUGH"},
      {Feature::kFanotifyPermission, "FANOTIFY_ACCESS_PERMISSIONS"},
  };
  for (const auto& [feature, symbol] : kSymbols) {
    EXPECT_EQ(Get(feature).answer != Answer::kNo, on.contains(symbol)) << symbol << "\n" << Explain(feature);
  }
}

}  // namespace
}  // namespace sabot::loader
