// SPDX-License-Identifier: Apache-2.0
#include "tools/sabot/demo_proof.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "loader/fd.h"
#include "loader/netlink.h"
#include "loader/netlink_link.h"
#include "loader/netlink_qdisc.h"
#include "loader/netns.h"

namespace sabot::cli {
namespace {

namespace fs = std::filesystem;

template <typename Info>
std::set<std::string> BpfObjects(int (*next)(uint32_t, uint32_t*), int (*open)(uint32_t)) {
  std::set<std::string> objects;
  for (uint32_t id = 0; next(id, &id) == 0;) {
    loader::UniqueFd fd(open(id));
    Info info = {};
    uint32_t size = sizeof(info);
    if (!fd.valid() || bpf_obj_get_info_by_fd(fd.get(), &info, &size) != 0) continue;
    if (std::string(info.name).starts_with("sabot")) objects.insert(absl::StrCat(id, " ", info.name));
  }
  return objects;
}

std::set<std::string> Tree(const fs::path& top) {
  std::set<std::string> names;
  std::error_code error;
  for (fs::recursive_directory_iterator it(top, error), end; !error && it != end; it.increment(error)) {
    names.insert(it->path());
  }
  return names;
}

void AddNetwork(HostState& state) {
  state["network devices"];
  state["queueing disciplines"];
  auto netns = loader::Netns::OpenSelf();
  if (!netns.ok()) return;
  auto netlink = loader::Netlink::Open(*netns);
  if (!netlink.ok()) return;
  auto links = loader::ListLinks(*netlink);
  if (!links.ok()) return;
  for (const loader::Link& link : *links) {
    state["network devices"].insert(link.name);
    auto qdiscs = loader::ListQdiscs(*netlink, link.ifindex);
    if (!qdiscs.ok()) continue;
    for (const auto& qdisc : *qdiscs) {
      state["queueing disciplines"].insert(
          absl::StrCat(link.name, " ", qdisc.spec.kind, " ", loader::TcHandleName(qdisc.at.handle)));
    }
  }
}

std::set<std::string> Helpers() {
  std::set<std::string> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const std::string pid = entry.path().filename();
    if (!std::all_of(pid.begin(), pid.end(), [](unsigned char c) { return std::isdigit(c); })) continue;
    std::string name;
    std::getline(std::ifstream(entry.path() / "comm"), name);
    if (name == "sabot-pacer") found.insert(absl::StrCat(pid, " ", name));
  }
  return found;
}

}  // namespace

HostState ReadHostState(const std::string& state_dir) {
  HostState state;
  state["BPF programs"] = BpfObjects<bpf_prog_info>(bpf_prog_get_next_id, bpf_prog_get_fd_by_id);
  state["BPF maps"] = BpfObjects<bpf_map_info>(bpf_map_get_next_id, bpf_map_get_fd_by_id);
  state["helper processes"] = Helpers();
  state["files of state"] = Tree(state_dir);
  AddNetwork(state);
  return state;
}

std::string CompareHostStates(const HostState& before, const HostState& after, bool& clean) {
  std::string text;
  clean = true;
  for (const auto& [sort, now] : after) {
    const std::set<std::string>& then = before.at(sort);
    std::string left;
    for (const std::string& item : now) {
      if (!then.contains(item)) absl::StrAppend(&left, "    LEFT BEHIND: ", item, "\n");
    }
    clean &= left.empty();
    absl::StrAppendFormat(&text, "  %-22s %3d before  %3d after\n%s", sort, then.size(), now.size(), left);
  }
  return text;
}

}  // namespace sabot::cli
