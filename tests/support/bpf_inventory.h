// SPDX-License-Identifier: Apache-2.0
//
// BPF objects of the running kernel: which there are, who holds them, what is attached where.
#ifndef SABOT_TESTS_SUPPORT_BPF_INVENTORY_H_
#define SABOT_TESTS_SUPPORT_BPF_INVENTORY_H_

#include <sys/types.h>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace sabot::test {

// "prog 17", "link 3", "map 9": unique while the machine is up.
using BpfObject = std::string;

struct BpfInventory {
  std::map<BpfObject, std::string> described;  // every object -> "prog 17 (tc__egress, type 3)"
  std::set<BpfObject> held;  // by a process's descriptor, a filter, or an object that is held

  static BpfInventory Take();
  std::vector<BpfObject> Unheld() const;
};

// The objects that this process holds a descriptor of.
std::set<BpfObject> BpfObjectsHeldBy(pid_t pid);

// "<id> <name>" of each program attached at `target` (an interface index of the caller's namespace, or a
// descriptor of a cgroup or namespace) with this attach type; empty when the kernel does not know the type.
std::vector<std::string> AttachedPrograms(int target, int attach_type);

}  // namespace sabot::test

#endif  // SABOT_TESTS_SUPPORT_BPF_INVENTORY_H_
