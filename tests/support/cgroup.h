// SPDX-License-Identifier: Apache-2.0
//
// A control group (v2) of the test's own, removed with its object. Movable, not copyable.
#ifndef SABOT_TESTS_SUPPORT_CGROUP_H_
#define SABOT_TESTS_SUPPORT_CGROUP_H_

#include <sys/types.h>

#include <string>

namespace sabot::test {

// Where the v2 tree is mounted: /sys/fs/cgroup, or /sys/fs/cgroup/unified on a hybrid machine.
std::string CgroupV2Mount();

class TestCgroup {
 public:
  // `<mount>/sabot-t<pid of the test>-<name>[-<n>]`
  explicit TestCgroup(const std::string& name);
  TestCgroup(TestCgroup&& other) noexcept;
  TestCgroup& operator=(TestCgroup&&) = delete;
  // Its processes must have ended.
  ~TestCgroup();

  const std::string& path() const { return path_; }
  // Moves a process into it.
  void Add(pid_t pid) const;

 private:
  std::string path_;
};

}  // namespace sabot::test

#endif  // SABOT_TESTS_SUPPORT_CGROUP_H_
