// SPDX-License-Identifier: Apache-2.0
//
// What has to be attached to a target's devices, or to its cgroup, so that the rules of its lane can act.
// Each hook is acquired by a factory below, whole or not at all, and goes with its owner.
#ifndef SABOT_AGENT_NETWORK_HOOK_H_
#define SABOT_AGENT_NETWORK_HOOK_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/journal.h"
#include "agent/network/index_pool.h"
#include "loader/netlink.h"
#include "loader/netlink_link.h"
#include "loader/netlink_qdisc.h"
#include "loader/netns.h"
#include "loader/network_programs.h"

namespace sabot::agent {

class Clsact;  // clsact_hook.cc

// What hooks of one target share. Borrowed by every hook; outlives them.
struct HookContext {
  loader::NetworkPrograms& programs;
  Journal& journal;
  std::shared_ptr<const loader::Netns> netns;
  std::shared_ptr<loader::Netlink> netlink;  // null where only cgroup hooks are allowed
  uint32_t lane;
  IndexPool& heartbeats;
  std::string helper_path;  // of sabot-helper; empty: found beside this program
  // The clsact qdiscs that our filters share, by ifindex.
  std::map<int, std::weak_ptr<Clsact>> clsacts = {};
};

// What the hooks of one device are to carry.
struct HookLoad {
  // Sum of the delays that one packet can get.
  uint64_t delay_ns = 0;
  // Rules of the netem rung, by ordinal.
  std::map<uint32_t, loader::NetemOptions> netem;
};

// Move is not needed: hooks live in unique_ptrs. Owner thread only.
class Hook {
 public:
  virtual ~Hook() = default;

  // Adapts to what the rules need now. On failure the hook is as it was.
  virtual absl::Status Update(const HookLoad&) { return absl::OkStatus(); }
  // False once the hook does not work any more (a helper died, a device went); the owner makes a new one.
  virtual bool Healthy() { return true; }
  // No packet is held any more, so that Remove() loses none.
  virtual bool Drained() { return true; }
  // Takes it off. Idempotent; after an error it may be called again, and the journal still knows of the rest.
  virtual absl::Status Remove() = 0;
  // Packets that the hook itself dropped for the rule with this ordinal (netem's loss).
  virtual uint64_t Dropped(uint32_t /*ordinal*/) { return 0; }
};

using HookPtr = std::unique_ptr<Hook>;

// Tells whether the root of this device may carry a qdisc of ours: the kernel's default is there, or for
// `kind` == "fq" somebody's fq, which then serves as it is. FAILED_PRECONDITION names what is in the way.
absl::Status RootIsFree(loader::Netlink& netlink, const loader::Link& device, const std::string& kind);

// A body at a device by tcx: ends with its descriptor.
absl::StatusOr<HookPtr> AttachTcxHook(const HookContext& context, const std::string& fault, sabot_body body,
                                      const loader::Link& device);
// The same as a direct-action filter of clsact, beside the filters of others. Journalled.
absl::StatusOr<HookPtr> AttachClsactHook(HookContext& context, const std::string& fault, sabot_body body,
                                         const loader::Link& device);
// fq at the root, unless one is there. Journalled.
absl::StatusOr<HookPtr> AttachFqHook(const HookContext& context, const std::string& fault,
                                     const loader::Link& device);
// prio at the root with our classifier and netem in its bands. Journalled.
absl::StatusOr<HookPtr> AttachNetemHook(const HookContext& context, const std::string& fault,
                                        const loader::Link& device);
// A tap device and its helper process. Journalled. `tcx` tells how the tap's own program is attached.
absl::StatusOr<HookPtr> AttachPacerHook(const HookContext& context, const std::string& fault,
                                        const loader::Link& device, bool tcx);
// A body at a cgroup: ends with its descriptor. `cgroup` is the directory's path.
absl::StatusOr<HookPtr> AttachCgroupHook(const HookContext& context, const std::string& fault,
                                         sabot_body body, const std::string& cgroup);

}  // namespace sabot::agent

#endif  // SABOT_AGENT_NETWORK_HOOK_H_
