// SPDX-License-Identifier: Apache-2.0
//
// Probes of FUSE, by a mount that is attached nowhere, and of fanotify.
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sys/fanotify.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "absl/strings/str_cat.h"
#include "loader/netlink_wire.h"
#include "loader/probe_context.h"
#include "loader/probe_finding.h"
#include "loader/probe_list.h"

namespace sabot::loader {
namespace {

constexpr char kFuseDevice[] = "/dev/fuse";
// FUSE_PASSTHROUGH, from kernel commit 7dc4e97a4f9a (6.9); the headers that we build with are older.
constexpr uint64_t kFusePassthrough = uint64_t{1} << 37;
constexpr int kHandshakeMs = 2000;

// A FUSE mount nowhere. Closing both ends it.
struct FuseMount {
  UniqueFd device;
  UniqueFd mount;
};

bool SetOption(int context, const char* key, const std::string& value) {
  return ::fsconfig(context, FSCONFIG_SET_STRING, key, value.c_str(), 0) == 0;
}

// Makes the mount, or says in `finding` why not.
FuseMount MountFuse(Finding& finding) {
  UniqueFd device(::open(kFuseDevice, O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!device.valid()) {
    finding = DeviceFailed(kFuseDevice, "fuse", errno, kSysAdmin);
    return {};
  }
  UniqueFd context(::fsopen("fuse", FSOPEN_CLOEXEC));
  if (!context.valid()) {
    finding = Failed("open the fuse file system", errno, {ENODEV}, kSysAdmin);
    return {};
  }
  UniqueFd mount;
  if (SetOption(context.get(), "fd", absl::StrCat(device.get())) &&
      SetOption(context.get(), "rootmode", "40000") && SetOption(context.get(), "user_id", "0") &&
      SetOption(context.get(), "group_id", "0") &&
      ::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0) {
    mount = UniqueFd(::fsmount(context.get(), FSMOUNT_CLOEXEC, 0));
  }
  if (!mount.valid()) {
    finding = Failed("mount fuse", errno, {}, kSysAdmin);
    return {};
  }
  return {std::move(device), std::move(mount)};
}

// The kernel's offer, as the server reads it first: FUSE_* flags.
std::optional<uint64_t> OfferedFlags(int device) {
  pollfd ready{.fd = device, .events = POLLIN};
  std::vector<std::byte> request(FUSE_MIN_READ_BUFFER);
  if (::poll(&ready, 1, kHandshakeMs) != 1) return std::nullopt;
  ssize_t size = ::read(device, request.data(), request.size());
  if (size < static_cast<ssize_t>(sizeof(fuse_in_header))) return std::nullopt;
  ByteSpan bytes(request.data(), static_cast<size_t>(size));
  if (ReadAs<fuse_in_header>(bytes)->opcode != FUSE_INIT) return std::nullopt;
  // Kernels before 5.17 send a shorter one, without flags2.
  auto offer = ReadPrefixOf<fuse_init_in>(bytes.subspan(sizeof(fuse_in_header)));
  return uint64_t{offer.flags} | uint64_t{offer.flags2} << 32;
}

}  // namespace

Finding ProbeFuse(ProbeContext&) {
  Finding finding;
  FuseMount fuse = MountFuse(finding);
  if (!fuse.mount.valid()) return finding;
  if (!OfferedFlags(fuse.device.get())) return Unknown("mount fuse: the kernel did not begin the handshake");
  return Yes("fuse was mounted, attached nowhere, and began its handshake");
}

Finding ProbeFusePassthrough(ProbeContext&) {
  Finding finding;
  FuseMount fuse = MountFuse(finding);
  if (!fuse.mount.valid()) return finding;
  std::optional<uint64_t> offered = OfferedFlags(fuse.device.get());
  if (!offered) return Unknown("mount fuse: the kernel did not begin the handshake");
  if (*offered & kFusePassthrough) return Yes("the kernel offers passthrough in fuse's handshake");
  return No("the kernel does not offer passthrough in fuse's handshake");
}

Finding ProbeFanotifyPermission(ProbeContext&) {
  UniqueFd group(::fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY | O_CLOEXEC));
  if (!group.valid()) return Failed("create a fanotify group", errno, {ENOSYS, EINVAL}, kSysAdmin);
  // To ask for events taints Debian's kernels, so an answer is given to an event that was never asked about:
  // "no such event" from a kernel that has them, "invalid" from one that does not take answers.
  fanotify_response answer{.fd = group.get(), .response = FAN_ALLOW};
  if (::write(group.get(), &answer, sizeof(answer)) < 0 && errno == ENOENT) {
    return Yes("fanotify takes answers to permission events");
  }
  return Failed("answer a permission event of fanotify", errno, {EINVAL}, kSysAdmin);
}

}  // namespace sabot::loader
