// SPDX-License-Identifier: Apache-2.0
#include "controller/api/read_file.h"

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "controller/api/manifest.h"
#include "gtest/gtest.h"

namespace sabot::api {
namespace {

// A file that is gone with the test.
class TempFile {
 public:
  explicit TempFile(const std::string& content) {
    const int fd = mkstemp(path_.data());
    EXPECT_GE(fd, 0);
    EXPECT_EQ(write(fd, content.data(), content.size()), static_cast<ssize_t>(content.size()));
    close(fd);
  }
  ~TempFile() { unlink(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = testing::TempDir() + "/sabot_read_file_XXXXXX";
};

TEST(ReadFile, ReadsUpToTheLimit) {
  const TempFile file(std::string(1000, 'x'));
  EXPECT_EQ(ReadFile(file.path(), 1000)->size(), 1000u);
  const auto refused = ReadFile(file.path(), 999);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(refused.status().message(), "file is too large: 1000 bytes, the limit is 999");
}

TEST(ReadFile, ReadsAnEmptyFile) {
  const TempFile file("");
  EXPECT_EQ(*ReadFile(file.path(), 10), "");
}

TEST(ReadFile, RefusesAHugeFileWithoutReadingIt) {
  const TempFile file("");
  ASSERT_EQ(truncate(file.path().c_str(), off_t{1} << 40), 0);
  EXPECT_EQ(ReadFile(file.path(), 8 << 20).status().message(),
            "file is too large: 1099511627776 bytes, the limit is 8388608");
}

TEST(ReadFile, StopsReadingWhatHasNoEnd) {
  EXPECT_EQ(ReadFile("/dev/zero", 1 << 20).status().message(),
            "file is too large: more than 1048576 bytes, the limit is 1048576");
}

TEST(ReadFile, SaysWhatFailed) {
  EXPECT_EQ(ReadFile("/nonexistent/x", 10).status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(ReadFile("/", 10).ok());
}

TEST(LoadManifests, MakesAProblemOfAFileThatCannotBeRead) {
  const Manifests manifests = LoadManifests("/nonexistent/x.yaml");
  ASSERT_EQ(manifests.problems.size(), 1u);
  EXPECT_EQ(ToString(manifests.problems[0]), "/nonexistent/x.yaml: open: No such file or directory");
  EXPECT_FALSE(manifests.ok());
}

TEST(LoadManifests, RefusesALargeFile) {
  const TempFile file("");
  ASSERT_EQ(truncate(file.path().c_str(), 100'000'000), 0);
  const Manifests manifests = LoadManifests(file.path());
  ASSERT_EQ(manifests.problems.size(), 1u);
  EXPECT_EQ(manifests.problems[0].message, "file is too large: 100000000 bytes, the limit is 8388608");
}

}  // namespace
}  // namespace sabot::api
