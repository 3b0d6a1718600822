// SPDX-License-Identifier: Apache-2.0
#include "loader/kprobe.h"

#include <bpf/bpf.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "loader/status.h"

namespace sabot::loader {
namespace {

constexpr char kKprobeType[] = "/sys/bus/event_source/devices/kprobe/type";

}  // namespace

absl::StatusOr<UniqueFd> AttachKprobe(int program, const std::string& function, uint64_t cookie) {
  perf_event_attr attributes{};
  attributes.size = sizeof(attributes);
  if (!(std::ifstream(kKprobeType) >> attributes.type)) {
    return absl::UnimplementedError(absl::StrCat("read ", kKprobeType, ": perf events know no kprobes"));
  }
  attributes.kprobe_func = reinterpret_cast<uintptr_t>(function.c_str());
  const UniqueFd event(static_cast<int>(::syscall(SYS_perf_event_open, &attributes, /*pid=*/-1, /*cpu=*/0,
                                                  /*group=*/-1, PERF_FLAG_FD_CLOEXEC)));
  const std::string attempt = absl::StrCat("attach a kprobe to ", function);
  if (!event.valid() && errno == ENOENT) {
    return absl::UnimplementedError(absl::StrCat("this kernel has no function ", function, " to attach to"));
  }
  if (!event.valid()) return ErrnoStatus(errno, attempt);
  LIBBPF_OPTS(bpf_link_create_opts, options);
  options.perf_event.bpf_cookie = cookie;
  const int link = bpf_link_create(program, event.get(), BPF_PERF_EVENT, &options);
  if (link == -EINVAL) {
    return absl::UnimplementedError(
        absl::StrCat("this kernel does not let ", function, " be given false results"));
  }
  if (link < 0) return ErrnoStatus(-link, attempt);
  UniqueFd attached(link);
  if (::ioctl(event.get(), PERF_EVENT_IOC_ENABLE, 0) < 0) return ErrnoStatus(errno, attempt);
  return attached;
}

}  // namespace sabot::loader
