// SPDX-License-Identifier: Apache-2.0
//
// A process that lives in a network namespace of its own (or, like a hostNetwork pod, in the machine's), and
// on request in a control group of its own: what a pod is to the product. The namespace lives exactly as long
// as the process; nothing is bound below /run/netns.
//
// Sockets are made by the resident and handed over, so that they belong to its namespace *and* to its control
// group (cgroup hooks look at where the socket was made), while the test reads and writes them.
#ifndef SABOT_TESTS_SUPPORT_RESIDENT_H_
#define SABOT_TESTS_SUPPORT_RESIDENT_H_

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>

#include "loader/fd.h"
#include "tests/support/cgroup.h"
#include "tests/support/subprocess.h"

namespace sabot::test {

class Resident {
 public:
  enum class Cgroup { kInherited, kOwn };
  enum class Network { kOwn, kMachine };

  // `role` names it in messages and in its control group's name.
  explicit Resident(const std::string& role, Cgroup cgroup = Cgroup::kInherited,
                    Network network = Network::kOwn);
  Resident(const Resident&) = delete;
  Resident& operator=(const Resident&) = delete;
  ~Resident();

  const std::string& role() const { return role_; }
  pid_t pid() const { return pid_; }
  int netns_fd() const { return netns_.get(); }
  // "/proc/PID/ns/net".
  std::string netns_path() const;
  // Absolute path of its own control group; only with Cgroup::kOwn.
  const std::string& cgroup() const;
  bool has_cgroup() const { return cgroup_.has_value(); }

  // A socket of the resident's.
  loader::UniqueFd Socket(int domain, int type, int protocol = 0) const;
  // Calls `work` on a thread inside the namespace and waits for it. What it throws comes out here.
  void Inside(const std::function<void()>& work) const;
  // Runs a command inside the namespace; returns its standard output.
  std::string Run(std::vector<std::string> argv, std::string input = {}) const;
  // Ends the process (and with it the namespace, once nothing else holds it).
  void Kill();

 private:
  std::string role_;
  std::optional<TestCgroup> cgroup_;
  loader::UniqueFd channel_;
  loader::UniqueFd netns_;
  pid_t pid_ = -1;
};

}  // namespace sabot::test

#endif  // SABOT_TESTS_SUPPORT_RESIDENT_H_
