// SPDX-License-Identifier: Apache-2.0
//
// A directory that is there for one test, in memory like the state directory's usual place: on a disk each
// fdatasync of a journal takes a hundred times as long.
#ifndef SABOT_TESTS_UNIT_AGENT_TEMP_DIR_H_
#define SABOT_TESTS_UNIT_AGENT_TEMP_DIR_H_

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <system_error>

namespace sabot::agent {

class TempDir {
 public:
  TempDir() {
    std::string name = Parent() / "sabot-test-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }

 private:
  static std::filesystem::path Parent() {
    if (::getenv("TMPDIR") == nullptr && ::access("/dev/shm", W_OK) == 0) return "/dev/shm";
    return std::filesystem::temp_directory_path();
  }

  std::filesystem::path path_;
};

}  // namespace sabot::agent

#endif  // SABOT_TESTS_UNIT_AGENT_TEMP_DIR_H_
