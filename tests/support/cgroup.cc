// SPDX-License-Identifier: Apache-2.0
#include "tests/support/cgroup.h"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "tests/support/require.h"

namespace sabot::test {

std::string CgroupV2Mount() {
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    std::vector<std::string> halves = absl::StrSplit(line, " - ");
    std::vector<std::string> fields = absl::StrSplit(halves[0], ' ');
    if (halves.size() == 2 && halves[1].starts_with("cgroup2 ") && fields.size() > 4) return fields[4];
  }
  throw ArrangementFailed("no cgroup v2 tree is mounted");
}

TestCgroup::TestCgroup(const std::string& name) {
  static std::atomic<int> count = 0;
  path_ =
      CgroupV2Mount() + "/sabot-t" + std::to_string(::getpid()) + "-" + name + "-" + std::to_string(++count);
  RequireSyscall(::mkdir(path_.c_str(), 0755), "make the control group " + path_);
}

TestCgroup::TestCgroup(TestCgroup&& other) noexcept : path_(std::exchange(other.path_, {})) {}

TestCgroup::~TestCgroup() {
  if (path_.empty()) return;
  // A process that has been waited for may still be counted for a moment.
  for (int attempt = 0; attempt < 200 && ::rmdir(path_.c_str()) != 0 && errno == EBUSY; ++attempt)
    ::usleep(10'000);
}

void TestCgroup::Add(pid_t pid) const {
  std::ofstream procs(path_ + "/cgroup.procs");
  procs << pid << std::flush;
  Require(procs.good(), "move a process into " + path_);
}

}  // namespace sabot::test
