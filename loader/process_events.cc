// SPDX-License-Identifier: Apache-2.0
#include "loader/process_events.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "clock.skel.h"
#include "loader/status.h"

namespace sabot::loader {
namespace {

// PROC_PID_INIT_INO.
constexpr ino_t kFirstPidNamespace = 0xEFFFFFFC;

int Silent(libbpf_print_level, const char*, va_list) { return 0; }

absl::Status InFirstPidNamespace() {
  struct stat info {};
  if (::stat("/proc/self/ns/pid", &info) != 0) return ErrnoStatus(errno, "look at our pid namespace");
  if (info.st_ino == kFirstPidNamespace) return absl::OkStatus();
  return absl::UnimplementedError(
      "follow processes: this program is not in the machine's first pid namespace (hostPID)");
}

template <typename Key>
absl::Status Put(const bpf_map* map, Key key, std::string_view what) {
  const uint8_t one = 1;
  if (::bpf_map_update_elem(bpf_map__fd(map), &key, &one, BPF_ANY) == 0) return absl::OkStatus();
  return ErrnoStatus(errno, what);
}

template <typename Key>
absl::StatusOr<bool> Take(const bpf_map* map, Key key, std::string_view what) {
  if (::bpf_map_delete_elem(bpf_map__fd(map), &key) == 0) return true;
  return errno == ENOENT ? absl::StatusOr<bool>(false) : ErrnoStatus(errno, what);
}

}  // namespace

void ProcessEvents::Close::operator()(clock_bpf* skeleton) const { clock_bpf__destroy(skeleton); }
void ProcessEvents::Close::operator()(ring_buffer* ring) const { ring_buffer__free(ring); }

absl::StatusOr<std::unique_ptr<ProcessEvents>> ProcessEvents::Create() {
  SABOT_RETURN_IF_ERROR(InFirstPidNamespace());
  libbpf_set_print(Silent);
  std::unique_ptr<clock_bpf, Close> skeleton(clock_bpf__open());
  if (skeleton == nullptr) return ErrnoStatus(errno, "open the clock programs");
  if (clock_bpf__load(skeleton.get()) != 0) return ErrnoStatus(errno, "load the clock programs");
  if (clock_bpf__attach(skeleton.get()) != 0) {
    return ErrnoStatus(errno, "attach to the tracepoints of fork and exec");
  }
  std::unique_ptr<ProcessEvents> events(new ProcessEvents(std::move(skeleton)));
  const auto hear = [](void* self, void* data, size_t size) {
    sabot_process_event event{};
    if (size < sizeof(event)) return 0;
    std::memcpy(&event, data, sizeof(event));
    (*static_cast<ProcessEvents*>(self)->hear_)(event);
    return 0;
  };
  events->ring_.reset(
      ring_buffer__new(bpf_map__fd(events->skeleton_->maps.sabot_events), hear, events.get(), nullptr));
  if (events->ring_ == nullptr) return ErrnoStatus(errno, "open the ring of process events");
  return events;
}

ProcessEvents::~ProcessEvents() = default;

absl::Status ProcessEvents::Track(pid_t pid) {
  return Put(skeleton_->maps.sabot_tracked, static_cast<uint32_t>(pid), absl::StrCat("track process ", pid));
}

absl::Status ProcessEvents::Untrack(pid_t pid) {
  return Take(skeleton_->maps.sabot_tracked, static_cast<uint32_t>(pid),
              absl::StrCat("stop tracking process ", pid))
      .status();
}

absl::Status ProcessEvents::AddGroup(uint64_t id) {
  SABOT_RETURN_IF_ERROR(Put(skeleton_->maps.sabot_groups, id, absl::StrCat("track cgroup ", id)));
  ++skeleton_->bss->sabot_groups_used;
  return absl::OkStatus();
}

absl::Status ProcessEvents::RemoveGroup(uint64_t id) {
  SABOT_ASSIGN_OR_RETURN(const bool taken,
                         Take(skeleton_->maps.sabot_groups, id, absl::StrCat("stop tracking cgroup ", id)));
  if (taken) --skeleton_->bss->sabot_groups_used;
  return absl::OkStatus();
}

int ProcessEvents::fd() const { return ring_buffer__epoll_fd(ring_.get()); }

absl::Status ProcessEvents::Drain(const std::function<void(const sabot_process_event&)>& hear) {
  hear_ = &hear;
  const int done = ring_buffer__consume(ring_.get());
  hear_ = nullptr;
  return done >= 0 ? absl::OkStatus() : ErrnoStatus(-done, "read process events");
}

uint64_t ProcessEvents::lost() const { return skeleton_->bss->sabot_lost; }

}  // namespace sabot::loader
