// SPDX-License-Identifier: Apache-2.0
//
// sabot-helper JOB [ARGUMENT...]: one user-space helper for one target, started by the agent
// (agent/helper_process.h). Not meant to be run by hand: its descriptors come from the agent.
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <span>
#include <string_view>

#include "agent/pacer/job.h"

namespace {

struct Job {
  std::string_view name;
  int (*run)(std::span<const char* const> words);
};

constexpr Job kJobs[] = {
    {"pacer", sabot::pacer::RunJob},
};

}  // namespace

int main(int argc, char** argv) {
  std::span<const char* const> words(argv, argc);
  for (const Job& job : kJobs)
    // Without what libraries (and sanitizers) do in exit() and _exit(): a job has locked itself into a filter
    // that knows of none of it.
    if (words.size() > 1 && words[1] == job.name) syscall(SYS_exit_group, job.run(words.subspan(2)));
  std::fprintf(stderr, "usage: sabot-helper JOB [ARGUMENT...], run by the sabot agent\n");
  return 2;
}
