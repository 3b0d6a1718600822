// SPDX-License-Identifier: Apache-2.0
#include "tests/support/bpf_inventory.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "loader/fd.h"
#include "tests/support/netlink_dump.h"
#include "tests/support/process_table.h"

namespace sabot::test {
namespace {

using loader::UniqueFd;

std::string Key(const char* kind, __u32 id) { return absl::StrCat(kind, " ", id); }

// What an object refers to, so that holding one holds the other.
using References = std::map<BpfObject, std::vector<BpfObject>>;

void TakePrograms(BpfInventory& inventory, References& references) {
  for (__u32 id = 0; bpf_prog_get_next_id(id, &id) == 0;) {
    UniqueFd fd(bpf_prog_get_fd_by_id(id));
    if (!fd.valid()) continue;
    std::array<__u32, 64> maps{};
    bpf_prog_info info{};
    info.nr_map_ids = maps.size();
    info.map_ids = reinterpret_cast<__u64>(maps.data());
    __u32 length = sizeof(info);
    if (bpf_obj_get_info_by_fd(fd.get(), &info, &length) != 0) continue;
    inventory.described[Key("prog", id)] =
        absl::StrCat("prog ", id, " (", info.name, ", type ", info.type, ")");
    for (__u32 i = 0; i < info.nr_map_ids && i < maps.size(); ++i) {
      references[Key("prog", id)].push_back(Key("map", maps[i]));
    }
  }
}

void TakeLinks(BpfInventory& inventory, References& references) {
  for (__u32 id = 0; bpf_link_get_next_id(id, &id) == 0;) {
    UniqueFd fd(bpf_link_get_fd_by_id(id));
    bpf_link_info info{};
    __u32 length = sizeof(info);
    if (!fd.valid() || bpf_obj_get_info_by_fd(fd.get(), &info, &length) != 0) continue;
    inventory.described[Key("link", id)] =
        absl::StrCat("link ", id, " (type ", info.type, ", prog ", info.prog_id, ")");
    references[Key("link", id)].push_back(Key("prog", info.prog_id));
  }
}

// A program array holds the programs in it; from user space its values are their ids.
void TakeProgramArray(int fd, const bpf_map_info& info, References& references) {
  for (__u32 key = 0; key < info.max_entries && key < 1024; ++key) {
    __u32 program = 0;
    if (bpf_map_lookup_elem(fd, &key, &program) == 0)
      references[Key("map", info.id)].push_back(Key("prog", program));
  }
}

void TakeMaps(BpfInventory& inventory, References& references) {
  for (__u32 id = 0; bpf_map_get_next_id(id, &id) == 0;) {
    UniqueFd fd(bpf_map_get_fd_by_id(id));
    bpf_map_info info{};
    __u32 length = sizeof(info);
    if (!fd.valid() || bpf_obj_get_info_by_fd(fd.get(), &info, &length) != 0) continue;
    inventory.described[Key("map", id)] =
        absl::StrCat("map ", id, " (", info.name, ", type ", info.type, ")");
    if (info.type == BPF_MAP_TYPE_PROG_ARRAY) TakeProgramArray(fd.get(), info, references);
  }
}

void Hold(const BpfObject& object, const References& references, std::set<BpfObject>& held) {
  if (!held.insert(object).second) return;
  auto found = references.find(object);
  if (found == references.end()) return;
  for (const BpfObject& next : found->second) Hold(next, references, held);
}

// Filters hold their programs without anybody's descriptor. Those of the test's namespaces are seen there;
// here all that live are asked, so that another test's filter is not taken for a leak.
void HoldByFilters(const References& references, std::set<BpfObject>& held) {
  std::set<std::string> seen;
  for (const auto& [pid, process] : Processes()) {
    std::string path = absl::StrCat("/proc/", pid, "/ns/net");
    std::error_code error;
    if (!seen.insert(std::filesystem::read_symlink(path, error).string()).second || error) continue;
    UniqueFd netns(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::thread([&] {
      if (!netns.valid() || ::setns(netns.get(), CLONE_NEWNET) != 0) return;
      for (__u32 id : FilterPrograms()) Hold(Key("prog", id), references, held);
    }).join();
  }
}

}  // namespace

std::set<BpfObject> BpfObjectsHeldBy(pid_t pid) {
  std::set<BpfObject> objects;
  std::string base = absl::StrCat("/proc/", pid);
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(base + "/fd", error)) {
    std::string link = std::filesystem::read_symlink(entry.path(), error).string();
    if (!link.starts_with("anon_inode:bpf") && !link.starts_with("anon_inode:[bpf")) continue;
    std::ifstream info(absl::StrCat(base, "/fdinfo/", entry.path().filename().string()));
    for (std::string line; std::getline(info, line);) {
      std::vector<std::string> parts = absl::StrSplit(line, absl::ByAnyChar(":\t "), absl::SkipEmpty());
      if (parts.size() != 2) continue;
      for (const char* kind : {"prog", "link", "map"}) {
        if (parts[0] == absl::StrCat(kind, "_id")) objects.insert(absl::StrCat(kind, " ", parts[1]));
      }
    }
  }
  return objects;
}

BpfInventory BpfInventory::Take() {
  BpfInventory inventory;
  References references;
  TakePrograms(inventory, references);
  TakeLinks(inventory, references);
  TakeMaps(inventory, references);
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    int pid = 0;
    if (!absl::SimpleAtoi(entry.path().filename().string(), &pid)) continue;
    for (const BpfObject& object : BpfObjectsHeldBy(pid)) Hold(object, references, inventory.held);
  }
  if (!inventory.Unheld().empty()) HoldByFilters(references, inventory.held);
  return inventory;
}

std::vector<BpfObject> BpfInventory::Unheld() const {
  std::vector<BpfObject> unheld;
  for (const auto& [object, text] : described) {
    if (!held.contains(object)) unheld.push_back(object);
  }
  return unheld;
}

std::vector<std::string> AttachedPrograms(int target, int attach_type) {
  std::array<__u32, 64> ids{};
  __u32 count = ids.size(), flags = 0;
  if (bpf_prog_query(target, static_cast<bpf_attach_type>(attach_type), 0, &flags, ids.data(), &count) != 0)
    return {};
  std::vector<std::string> programs;
  for (__u32 i = 0; i < count; ++i) {
    UniqueFd fd(bpf_prog_get_fd_by_id(ids[i]));
    bpf_prog_info info{};
    __u32 length = sizeof(info);
    if (fd.valid()) bpf_obj_get_info_by_fd(fd.get(), &info, &length);
    programs.push_back(absl::StrCat(ids[i], " ", info.name));
  }
  return programs;
}

}  // namespace sabot::test
