// SPDX-License-Identifier: Apache-2.0
//
// Things that a target can be, made by the tests themselves: control groups and named network namespaces.
// They need root.
#ifndef SABOT_TESTS_UNIT_AGENT_WORLD_H_
#define SABOT_TESTS_UNIT_AGENT_WORLD_H_

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include "absl/time/clock.h"
#include "tests/unit/agent/child.h"

namespace sabot::agent {

// A control group that is there for one test, with all groups above it that were not. Its processes must have
// ended before it goes.
class TestCgroup {
 public:
  explicit TestCgroup(std::filesystem::path path) : path_(std::move(path)) {
    for (std::filesystem::path p = path_; !std::filesystem::exists(p); p = p.parent_path())
      made_.push_back(p);
    std::error_code error;
    std::filesystem::create_directories(path_, error);
  }
  TestCgroup(const TestCgroup&) = delete;
  TestCgroup& operator=(const TestCgroup&) = delete;
  ~TestCgroup() { Remove(); }

  const std::filesystem::path& path() const { return path_; }

  // The kernel needs a moment for processes that were just killed.
  bool Remove() {
    for (const std::filesystem::path& path : made_) {
      for (int i = 0; i < 100 && ::rmdir(path.c_str()) != 0 && errno == EBUSY; ++i) {
        absl::SleepFor(absl::Milliseconds(10));
      }
    }
    return !std::filesystem::exists(path_);
  }

  // Moves the calling process in.
  bool Join() const {
    std::ofstream procs(path_ / "cgroup.procs");
    procs << ::getpid() << std::flush;
    return procs.good();
  }

 private:
  std::filesystem::path path_;
  std::vector<std::filesystem::path> made_;  // innermost first
};

// A name for a new network namespace, as `ip netns add` makes it.
class TestNetns {
 public:
  explicit TestNetns(const std::string& name) : path_(std::filesystem::path("/run/netns") / name) {
    std::error_code error;
    std::filesystem::create_directories(path_.parent_path(), error);
    std::ofstream(path_).flush();
    Child holder([] { return ::unshare(CLONE_NEWNET) == 0; });
    std::string source = "/proc/" + std::to_string(holder.pid()) + "/ns/net";
    ok_ = ::mount(source.c_str(), path_.c_str(), nullptr, MS_BIND, nullptr) == 0;
  }
  TestNetns(const TestNetns&) = delete;
  TestNetns& operator=(const TestNetns&) = delete;
  ~TestNetns() { Remove(); }

  bool ok() const { return ok_; }
  const std::filesystem::path& path() const { return path_; }
  std::string name() const { return path_.filename(); }
  void Remove() {
    ::umount2(path_.c_str(), MNT_DETACH);
    ::unlink(path_.c_str());
  }

 private:
  std::filesystem::path path_;
  bool ok_ = false;
};

}  // namespace sabot::agent

#endif  // SABOT_TESTS_UNIT_AGENT_WORLD_H_
