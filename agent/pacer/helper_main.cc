// SPDX-License-Identifier: Apache-2.0
//
// sabot-helper JOB [ARGUMENT...]: one user-space helper for one target, started by the agent
// (agent/helper_process.h). Not meant to be run by hand: its descriptors come from the agent.
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
    if (words.size() > 1 && words[1] == job.name) return job.run(words.subspan(2));
  std::fprintf(stderr, "usage: sabot-helper JOB [ARGUMENT...], run by the sabot agent\n");
  return 2;
}
