// SPDX-License-Identifier: Apache-2.0
//
// Queueing disciplines of one namespace's devices. Nothing here ever replaces or deletes a qdisc that was not
// named exactly: device, parent, handle and kind. Errors: see netlink.h; kUnimplemented means that the kernel
// lacks the kind.
//
// A qdisc is not owned by the kernel's garbage collector as links are: it outlives this process. Journal
// before creating one, and undo from the journal with RemoveQdisc().
#ifndef SABOT_LOADER_NETLINK_QDISC_H_
#define SABOT_LOADER_NETLINK_QDISC_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "loader/netlink.h"

namespace sabot::loader {

// tc handles: 16 bits of major, 16 of minor; "1:2" is TcHandle(1, 2).
constexpr uint32_t TcHandle(uint32_t major, uint32_t minor) { return major << 16 | minor; }
// "1:2", "8001:", "root", "clsact"; for messages.
std::string TcHandleName(uint32_t handle);

inline constexpr uint32_t kRootParent = 0xFFFFFFFF;    // TC_H_ROOT
inline constexpr uint32_t kClsactParent = 0xFFFFFFF1;  // TC_H_CLSACT
inline constexpr uint32_t kClsactHandle = 0xFFFF0000;

// What to make: a kind and the payload of TCA_OPTIONS. Made by the functions below, or taken from a Qdisc
// that was listed, which makes a second one like it.
struct QdiscSpec {
  std::string kind;
  std::vector<std::byte> options;  // empty: none are sent
};

// Where it is. `handle` 0 lets the kernel choose when creating.
struct QdiscAt {
  int ifindex = 0;
  uint32_t parent = kRootParent;
  uint32_t handle = 0;
};

struct QdiscStats {
  uint64_t bytes = 0;            // sent
  uint32_t packets = 0;          // sent
  uint32_t drops = 0;            // packets
  uint32_t requeues = 0;         // packets
  uint32_t overlimits = 0;       // packets
  uint32_t backlog_packets = 0;  // held now (the kernel's qlen)
  uint32_t backlog_bytes = 0;    // held now
};

struct Qdisc {
  QdiscAt at;  // handle 0: the kernel's default, which cannot be removed and needs not be restored
  QdiscSpec spec;
  QdiscStats stats;
};

QdiscSpec Clsact();

struct FqOptions {
  std::optional<uint32_t> limit_packets;       // kernel: 10000
  std::optional<uint32_t> flow_limit_packets;  // kernel: 100
  std::optional<uint32_t> horizon_us;  // kernel: 10 s. Kernels before 5.8 ignore it; see Feature::kFqHorizon
  std::optional<bool> horizon_drop;    // kernel: true; false sends at the horizon what lies beyond it
};
QdiscSpec Fq(const FqOptions& options);

struct PrioOptions {
  int bands = 3;  // 2 to 16
  // Band of each TC_PRIO_* value. All zero: everything that no filter classifies goes to the first band.
  std::array<uint8_t, 16> priomap{};
};
QdiscSpec Prio(const PrioOptions& options);

// Probabilities and correlations are fractions of 2^32-1.
struct NetemOptions {
  uint32_t limit_packets = 1000;  // queued beyond this are dropped
  uint64_t latency_ns = 0;
  uint64_t jitter_ns = 0;
  uint32_t latency_correlation = 0;
  uint32_t loss = 0;
  uint32_t loss_correlation = 0;
  uint32_t duplicate = 0;
  uint32_t duplicate_correlation = 0;
  uint32_t corrupt = 0;
  uint32_t corrupt_correlation = 0;
  uint32_t reorder = 0;  // needs latency; 0: none
  uint32_t reorder_correlation = 0;
  uint32_t gap = 0;                    // packets
  uint64_t rate_bytes_per_second = 0;  // 0: unlimited
};
QdiscSpec Netem(const NetemOptions& options);
// `percent` (0 to 100) as a fraction of 2^32-1, for NetemOptions.
uint32_t NetemProbability(double percent);

struct PfifoOptions {
  uint32_t limit_packets = 1000;
};
QdiscSpec Pfifo(const PfifoOptions& options);

struct TbfOptions {
  uint64_t rate_bytes_per_second = 0;  // at least 1
  uint32_t burst_bytes =
      0;  // at least one packet as the device sees it (GSO: up to 64 KiB), or all is dropped
  uint32_t limit_bytes = 0;            // queued beyond this are dropped
  uint64_t peak_bytes_per_second = 0;  // 0: none
  uint32_t peak_burst_bytes = 0;       // with a peak rate: at least one packet
};
QdiscSpec Tbf(const TbfOptions& options);

// Those of one device, as the kernel lists them. kNotFound if there is no such device.
absl::StatusOr<std::vector<Qdisc>> ListQdiscs(Netlink& netlink, int ifindex);
// The one at the root, the kernel's default included ("noqueue" with handle 0 on a fresh veth).
// kNotFound if the device has none or does not exist.
absl::StatusOr<Qdisc> RootQdisc(Netlink& netlink, int ifindex);

// Makes the qdisc. kAlreadyExists, with nothing changed, if another than the kernel's default is there.
absl::Status CreateQdisc(Netlink& netlink, const QdiscAt& at, const QdiscSpec& spec);
// True: it was made. False: one of the same kind and handle (any handle if `at.handle` is 0) was there, and
// was left as it is, options included. kAlreadyExists if a different one is there.
absl::StatusOr<bool> EnsureQdisc(Netlink& netlink, const QdiscAt& at, const QdiscSpec& spec);
absl::StatusOr<bool> EnsureClsact(Netlink& netlink, int ifindex);
// Gives the existing qdisc of the same kind and handle new options, with what it holds kept. kNotFound if it
// is not there; it is never created.
absl::Status ChangeQdisc(Netlink& netlink, const QdiscAt& at, const QdiscSpec& spec);
// Deletes exactly this one; `at.handle` must be given. False if it, or its device, was not there.
absl::StatusOr<bool> RemoveQdisc(Netlink& netlink, const QdiscAt& at, const std::string& kind);

// A qdisc that is removed with its owner. Move-only; shares its socket, so the rules of Netlink about threads
// hold.
class OwnedQdisc {
 public:
  // As CreateQdisc(); `at.handle` must be given.
  static absl::StatusOr<OwnedQdisc> Create(std::shared_ptr<Netlink> netlink, const QdiscAt& at,
                                           const QdiscSpec& spec);
  OwnedQdisc(OwnedQdisc&& other) noexcept = default;
  OwnedQdisc& operator=(OwnedQdisc&& other) noexcept;
  ~OwnedQdisc();

  const QdiscAt& at() const { return at_; }
  absl::Status Change(const QdiscSpec& spec) { return ChangeQdisc(*netlink_, at_, spec); }
  // Removes it now. OK if it has gone already; after an error the object still owns it.
  absl::Status Remove();

 private:
  OwnedQdisc(std::shared_ptr<Netlink> netlink, const QdiscAt& at, std::string kind)
      : netlink_(std::move(netlink)), at_(at), kind_(std::move(kind)) {}

  std::shared_ptr<Netlink> netlink_;  // null once removed or moved from
  QdiscAt at_;
  std::string kind_;
};

// Pure: one RTM_NEWQDISC message, header included; nullopt for any other and for one that is cut short.
std::optional<Qdisc> ParseQdisc(std::span<const std::byte> message);

}  // namespace sabot::loader

#endif  // SABOT_LOADER_NETLINK_QDISC_H_
