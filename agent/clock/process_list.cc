// SPDX-License-Identifier: Apache-2.0
#include "agent/clock/process_list.h"

#include <dirent.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"

namespace sabot::agent {
namespace {

// Field 4 of /proc/PID/stat, behind the command, which may hold anything; 0 if it is gone.
pid_t ParentOf(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
  std::string text;
  std::getline(file, text, '\0');
  const size_t paren = text.rfind(") ");
  if (paren == text.npos || paren + 4 > text.size()) return 0;
  return std::atoi(text.c_str() + paren + 4);
}

}  // namespace

std::vector<pid_t> AllProcesses() {
  const auto close = [](DIR* directory) { ::closedir(directory); };
  std::unique_ptr<DIR, decltype(close)> directory(::opendir("/proc"), close);
  std::vector<pid_t> pids;
  while (const dirent* entry = directory ? ::readdir(directory.get()) : nullptr) {
    if (const int pid = std::atoi(entry->d_name); pid > 0) pids.push_back(pid);
  }
  std::sort(pids.begin(), pids.end());
  return pids;
}

std::set<pid_t> TreeOf(pid_t root) {
  std::multimap<pid_t, pid_t> children;
  std::set<pid_t> tree;
  for (const pid_t pid : AllProcesses()) {
    if (pid == root) tree.insert(pid);
    children.emplace(ParentOf(pid), pid);
  }
  std::vector<pid_t> next(tree.begin(), tree.end());
  while (!next.empty()) {
    const pid_t parent = next.back();
    next.pop_back();
    const auto [begin, end] = children.equal_range(parent);
    for (auto child = begin; child != end; ++child) {
      if (tree.insert(child->second).second) next.push_back(child->second);
    }
  }
  return tree;
}

}  // namespace sabot::agent
