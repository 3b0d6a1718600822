// SPDX-License-Identifier: Apache-2.0
#include "loader/probe_program.h"

#include <bpf/bpf.h>

#include <cerrno>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace sabot::loader {
namespace {

// Enough for the programs here; kernels before 6.4 fail with ENOSPC where it is not.
constexpr size_t kLogSize = 64 * 1024;

int Load(const ProbeProgram& program, std::span<char> log) {
  LIBBPF_OPTS(bpf_prog_load_opts, options);
  options.expected_attach_type = static_cast<bpf_attach_type>(program.attach_type);
  options.attach_btf_id = program.btf_id;
  options.prog_flags = program.flags;
  options.log_level = log.empty() ? 0 : 1;
  options.log_buf = log.data();
  options.log_size = static_cast<uint32_t>(log.size());
  // bpf_override_return and others want the license.
  int fd =
      ::bpf_prog_load(program.type, "sabot_probe", "GPL", program.code.data(), program.code.size(), &options);
  return fd < 0 ? -errno : fd;
}

std::string Attempt(const ProbeProgram& program) { return absl::StrCat("load ", program.what); }

}  // namespace

std::string LastWords(const std::string& log) {
  std::string last;
  for (absl::string_view line : absl::StrSplit(log, '\n', absl::SkipWhitespace())) {
    if (absl::StartsWith(line, "processed ")) break;
    last = std::string(line);
  }
  return last;
}

bool LogSaysNoSuchFunction(const std::string& log) {
  for (const char* words : {"unknown func", "invalid func unknown", "cannot use helper", "is not allowed"}) {
    if (absl::StrContains(log, words)) return true;
  }
  return false;
}

LoadResult LoadProgram(const ProbeProgram& program) {
  int fd = Load(program, {});
  if (fd >= 0) return {.fd = UniqueFd(fd)};
  // Once more for the reason: the log costs time and is seldom wanted.
  std::vector<char> log(kLogSize);
  int again = Load(program, log);
  if (again >= 0) return {.fd = UniqueFd(again)};
  return {.error = -fd, .log = LastWords(log.data())};
}

Finding LoadFailed(const ProbeProgram& program, const LoadResult& result) {
  std::string attempt = Attempt(program);
  std::string words = result.log.empty() ? "" : absl::StrCat(" (", result.log, ")");
  if (LogSaysNoSuchFunction(result.log) || result.error == EINVAL || result.error == ENOSYS) {
    return No(absl::StrCat(attempt, ": ", ErrorText(result.error), words));
  }
  if (result.error == EACCES && !result.log.empty()) {
    return Unknown(absl::StrCat(attempt, ": ", ErrorText(result.error), words));
  }
  Finding finding = Failed(attempt, result.error, {}, program.needed);
  finding.reason += words;
  return finding;
}

Finding Loads(const ProbeProgram& program) {
  LoadResult loaded = LoadProgram(program);
  if (!loaded.ok()) return LoadFailed(program, loaded);
  return Yes(absl::StrCat(program.what, " was loaded"));
}

Finding LoadsAndAttaches(const ProbeProgram& program, const std::string& target) {
  LoadResult loaded = LoadProgram(program);
  if (!loaded.ok()) return LoadFailed(program, loaded);
  // For these types the name must be null: the target is in the program.
  UniqueFd link(::bpf_raw_tracepoint_open(nullptr, loaded.fd.get()));
  int error = link.valid() ? 0 : errno;
  std::string attempt = absl::StrCat("attach ", program.what, " to ", target);
  // 524 is ENOTSUPP: an architecture without BPF trampolines, or a kernel without the ftrace for them.
  if (!link.valid()) return Failed(attempt, error, {524, EOPNOTSUPP, EINVAL}, program.needed);
  return Yes(absl::StrCat(program.what, " was attached to ", target));
}

}  // namespace sabot::loader
