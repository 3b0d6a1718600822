// SPDX-License-Identifier: Apache-2.0
//
// Deeds of the network hooks: what is written to the journal before they are done, and how each is undone, by
// its owner, by the next start or by `sabot undo`.
#ifndef SABOT_AGENT_NETWORK_JOURNALLED_H_
#define SABOT_AGENT_NETWORK_JOURNALLED_H_

#include <string>

#include "absl/status/status.h"
#include "agent/network/hook.h"
#include "loader/netlink_filter.h"
#include "loader/netlink_qdisc.h"
#include "sabot/v1/journal.pb.h"

namespace sabot::agent {

sabot::v1::Deed QdiscDeedOf(const HookContext& context, const std::string& fault, const loader::Link& device,
                            const loader::QdiscAt& at, const std::string& kind);
sabot::v1::Deed FilterDeedOf(const HookContext& context, const std::string& fault, const loader::Link& device,
                             const loader::FilterAt& at, const std::string& program);

// Undoes a deed through a socket in its namespace, if its object is still there and still the one; OK if it
// is gone.
absl::Status RemoveQdiscOf(loader::Netlink& netlink, const sabot::v1::QdiscDeed& deed);
absl::Status RemoveFilterOf(loader::Netlink& netlink, const sabot::v1::FilterDeed& deed);

// Undoes any deed without its owner: finds the namespace by itself.
absl::Status UndoDeed(const sabot::v1::Deed& deed);

}  // namespace sabot::agent

#endif  // SABOT_AGENT_NETWORK_JOURNALLED_H_
