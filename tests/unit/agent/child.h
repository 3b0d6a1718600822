// SPDX-License-Identifier: Apache-2.0
//
// A child process that does one thing, says that it did, and waits to be killed.
#ifndef SABOT_TESTS_UNIT_AGENT_CHILD_H_
#define SABOT_TESTS_UNIT_AGENT_CHILD_H_

#include <signal.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <utility>

namespace sabot::agent {

class Child {
 public:
  // Returns when `work` has returned true in the child; pid() is -1 if it returned false. Whatever `work`
  // keeps on its stack must be kept by static or leaked objects: the child never unwinds.
  explicit Child(const std::function<bool()>& work) {
    int ready[2];
    if (::pipe(ready) != 0) return;
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::close(ready[0]);
      if (!work() || ::write(ready[1], "y", 1) != 1) ::_exit(1);
      while (true) ::pause();
    }
    ::close(ready[1]);
    char answer;
    if (::read(ready[0], &answer, 1) != 1) Kill();
    ::close(ready[0]);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { Kill(); }

  pid_t pid() const { return pid_; }

  void Kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, -1), nullptr, 0);
  }

 private:
  pid_t pid_ = -1;
};

}  // namespace sabot::agent

#endif  // SABOT_TESTS_UNIT_AGENT_CHILD_H_
