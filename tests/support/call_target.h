// SPDX-License-Identifier: Apache-2.0
//
// A process that does what it is told, so that faults are measured from inside it. Forked from the test: what
// it does must be plain system calls.
#ifndef SABOT_TESTS_SUPPORT_CALL_TARGET_H_
#define SABOT_TESTS_SUPPORT_CALL_TARGET_H_

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <vector>

#include "loader/fd.h"
#include "tests/support/subprocess.h"

namespace sabot::test {

// Its answer is a result, or a negative errno.
using Deed = std::function<long()>;

inline long Result(long returned) { return returned < 0 ? -errno : returned; }

class CallTarget {
 public:
  explicit CallTarget(std::vector<Deed> deeds) : deeds_(std::move(deeds)) {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    ours_ = loader::UniqueFd(ends[0]);
    pid_ = ::fork();
    if (pid_ == 0) Serve(ends[1]);
    ::close(ends[1]);
    RememberProcess(pid_);
  }
  ~CallTarget() { Kill(); }
  CallTarget(const CallTarget&) = delete;
  CallTarget& operator=(const CallTarget&) = delete;

  pid_t pid() const { return pid_; }
  void Kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    ForgetProcess(pid_);
    pid_ = -1;
  }

  // `deed` is an index.
  long Do(int deed) const {
    Request request = {deed, 0};
    EXPECT_EQ(::send(ours_.get(), &request, sizeof(request), MSG_NOSIGNAL), ssize_t{sizeof(request)});
    EXPECT_EQ(::recv(ours_.get(), &request, sizeof(request), 0), ssize_t{sizeof(request)});
    return request.result;
  }
  // How many of `times` tries answer `result`.
  int Count(int deed, long result, int times) const {
    int count = 0;
    for (int i = 0; i < times; ++i) count += Do(deed) == result ? 1 : 0;
    return count;
  }

 private:
  struct Request {
    int deed;
    long result;
  };

  [[noreturn]] void Serve(int channel) const {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    Request request = {};
    // read and write of the channel itself are never among the calls that tests make fail.
    while (::recv(channel, &request, sizeof(request), 0) == ssize_t{sizeof(request)}) {
      request.result = deeds_[static_cast<size_t>(request.deed)]();
      ::send(channel, &request, sizeof(request), MSG_NOSIGNAL);
    }
    ::_exit(0);
  }

  std::vector<Deed> deeds_;
  loader::UniqueFd ours_;
  pid_t pid_ = -1;
};

}  // namespace sabot::test

#endif  // SABOT_TESTS_SUPPORT_CALL_TARGET_H_
