// SPDX-License-Identifier: Apache-2.0
//
// A directory below $TMPDIR (or /tmp) that goes away with its object, contents included. Move-only.
#ifndef SABOT_TESTS_SUPPORT_TEMP_DIR_H_
#define SABOT_TESTS_SUPPORT_TEMP_DIR_H_

#include <string>
#include <string_view>

namespace sabot::test {

class TempDir {
 public:
  TempDir();
  TempDir(TempDir&& other) noexcept;
  TempDir& operator=(TempDir&&) = delete;
  ~TempDir();

  const std::string& path() const { return path_; }
  // Writes `content` to the file `name` in it and returns the file's path.
  std::string Write(std::string_view name, std::string_view content) const;

 private:
  std::string path_;
};

// The whole file, or "" when it cannot be read.
std::string ReadFile(const std::string& path);

}  // namespace sabot::test

#endif  // SABOT_TESTS_SUPPORT_TEMP_DIR_H_
