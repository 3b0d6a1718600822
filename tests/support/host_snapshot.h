// SPDX-License-Identifier: Apache-2.0
//
// What is on the machine, as text lines that can be compared: the proof that nothing stays behind.
//
// Other programs, other tests of ours among them, work on the same machine at the same time. So every kind of
// object is looked at in the places where the product could leave it *on behalf of this test*, and told from
// others' by where it hangs, not by when it appeared:
//
//   in the test's namespaces   everything: links, addresses, routes, rules, qdiscs, filters, tcx programs,
//                              programs attached to the namespace, the devices' sysctls
//   in the test's cgroups      sub-groups and every attached program
//   processes                  descendants of the test that it did not start itself; orphans come to the test
//                              (AdoptOrphans), so a helper is found however it was started
//   BPF programs, links, maps  those that came since the first snapshot and that nothing holds: no
//                              process, no filter of a live namespace, no held object; they stay for ever.
//                              What a process holds goes with it, and the processes are checked
//   state directory            every entry but empty directories
//   the machine itself         what its own devices carry (devices that come and go are others'), and entries
//                              named after the product among links, mounts, cgroups, /run/netns and BPF pins,
//                              unless they carry the mark of another test or live process (sabot-t<pid>,
//                              sabot-<word>-<pid>, sabot-<word>-XXXXXX)
#ifndef SABOT_TESTS_SUPPORT_HOST_SNAPSHOT_H_
#define SABOT_TESTS_SUPPORT_HOST_SNAPSHOT_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/support/resident.h"

namespace sabot::test {

struct SnapshotScope {
  std::vector<const Resident*> residents = {};
  std::string state_dir = {};
};

class HostSnapshot {
 public:
  static HostSnapshot Take(const SnapshotScope& scope);

  // "- line" for what was there before and is gone, "+ line" for what was not.
  std::vector<std::string> DifferenceFrom(const HostSnapshot& before) const;
  const std::set<std::string>& lines() const { return lines_; }

 private:
  std::set<std::string> lines_;
  std::set<std::string> machine_devices_;
  // "prog 17" of everything in the kernel, and lines about what nobody holds.
  std::set<std::string> bpf_objects_;
  std::vector<std::pair<std::string, std::string>> unheld_bpf_;  // object, line
};

// Takes snapshots until one equals `before`, for at most `patience` (the kernel frees much in the
// background); returns the last difference, empty when equal.
std::vector<std::string> DifferenceSince(const HostSnapshot& before, const SnapshotScope& scope,
                                         absl::Duration patience = absl::Seconds(3));

}  // namespace sabot::test

#endif  // SABOT_TESTS_SUPPORT_HOST_SNAPSHOT_H_
