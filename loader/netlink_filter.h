// SPDX-License-Identifier: Apache-2.0
//
// tc filters that run BPF programs (cls_bpf). Errors: see netlink.h; kUnimplemented means that the kernel
// lacks the classifier. Filters outlive this process, as qdiscs do: journal first.
#ifndef SABOT_LOADER_NETLINK_FILTER_H_
#define SABOT_LOADER_NETLINK_FILTER_H_

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

// Parents for filters of the clsact qdisc.
inline constexpr uint32_t kClsactIngress = 0xFFFFFFF2;
inline constexpr uint32_t kClsactEgress = 0xFFFFFFF3;

// Identity of one filter.
struct FilterAt {
  int ifindex = 0;
  uint32_t parent = 0;    // kClsactIngress, kClsactEgress, or the handle of a qdisc
  uint16_t priority = 0;  // lower runs first; 1 to 65535
  uint32_t handle = 1;
};

struct BpfFilter {
  int program_fd = -1;  // borrowed for the call; the filter holds the program by itself
  std::string name;     // shown by `tc filter`
  // True: the program's result is the verdict (TC_ACT_*). False, for filters of a qdisc with classes: it is
  // the class, where 0 means "no match, ask the next filter", -1 means `class_id`, and anything else is
  // itself the class id, of which prio looks at the minor only.
  bool direct_action = true;
  uint32_t class_id = 0;
};

struct Filter {
  FilterAt at;
  uint16_t protocol = 0;  // ETH_P_*, host byte order
  std::string kind;       // "bpf", "u32"...
  // For kind "bpf":
  std::string name;
  uint32_t program_id = 0;
  bool direct_action = false;
};

// Filters of one parent in the order they run. Empty if the parent does not exist; kNotFound if the device
// does not.
absl::StatusOr<std::vector<Filter>> ListFilters(Netlink& netlink, int ifindex, uint32_t parent);
// For every protocol (ETH_P_ALL). kAlreadyExists, with nothing changed, if the handle is taken, or the
// priority by filters of another kind or protocol.
absl::Status AddBpfFilter(Netlink& netlink, const FilterAt& at, const BpfFilter& filter);
// Puts another program into an existing filter in one step, with no packet missed in between.
absl::Status ReplaceBpfFilter(Netlink& netlink, const FilterAt& at, const BpfFilter& filter);
// Deletes exactly this one of kind "bpf". False if it, its qdisc or its device was not there.
absl::StatusOr<bool> RemoveBpfFilter(Netlink& netlink, const FilterAt& at);

// A filter that is removed with its owner. Move-only; shares its socket, so the rules of Netlink about
// threads hold.
class OwnedBpfFilter {
 public:
  static absl::StatusOr<OwnedBpfFilter> Create(std::shared_ptr<Netlink> netlink, const FilterAt& at,
                                               const BpfFilter& filter);
  OwnedBpfFilter(OwnedBpfFilter&& other) noexcept = default;
  OwnedBpfFilter& operator=(OwnedBpfFilter&& other) noexcept;
  ~OwnedBpfFilter();

  const FilterAt& at() const { return at_; }
  // Removes it now. OK if it has gone already; after an error the object still owns it.
  absl::Status Remove();

 private:
  OwnedBpfFilter(std::shared_ptr<Netlink> netlink, const FilterAt& at)
      : netlink_(std::move(netlink)), at_(at) {}

  std::shared_ptr<Netlink> netlink_;  // null once removed or moved from
  FilterAt at_;
};

// Pure: one RTM_NEWTFILTER message, header included; nullopt for any other, for one that is cut short and for
// the header of a priority, which has no handle.
std::optional<Filter> ParseFilter(std::span<const std::byte> message);

}  // namespace sabot::loader

#endif  // SABOT_LOADER_NETLINK_FILTER_H_
