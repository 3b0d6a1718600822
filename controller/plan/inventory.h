// SPDX-License-Identifier: Apache-2.0
//
// What there is to select from: the pods, nodes and namespaces of a cluster, or the local things that play
// them in a standalone run. Plain values.
#ifndef SABOT_CONTROLLER_PLAN_INVENTORY_H_
#define SABOT_CONTROLLER_PLAN_INVENTORY_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "controller/api/metadata.h"
#include "controller/api/problem.h"
#include "controller/plan/ip_address.h"
#include "sabot/v1/fault.pb.h"

namespace sabot::plan {

struct Container {
  std::string name;
  sabot::v1::Target target;  // its name is "<namespace>/<pod>/<container>"
};

struct Pod {
  std::string ns = "default";
  std::string name;
  api::StringMap labels;
  api::StringMap annotations;
  std::string phase = "Running";
  std::string node;  // name of the node it runs on; empty: none
  bool host_network = false;
  // All addresses of the pod, of both families; the first one is `status.podIP`. A pod without any can be
  // hit, and can not be anybody's peer.
  std::vector<IpAddress> addresses;
  std::vector<Container> containers;
  sabot::v1::Target target;  // its name is "<namespace>/<pod>"

  std::string Id() const { return ns + "/" + name; }
};

struct Node {
  std::string name;
  api::StringMap labels;
};

struct Namespace {
  std::string name;
  api::StringMap labels;
  api::StringMap annotations;
};

// Names are unique: pods within their namespace, nodes and namespaces as such.
struct Inventory {
  std::vector<Pod> pods;
  std::vector<Node> nodes;
  std::vector<Namespace> namespaces;
};

struct InventoryFile {
  Inventory inventory;                 // what could be read; to be used only when ok()
  std::vector<api::Problem> problems;  // by line

  bool ok() const { return !api::HasErrors(problems); }
};

// Reads an inventory (YAML; examples/inventory.yaml shows all of it). Pure, never throws, strict and bounded
// as api::ParseManifests() is. `file` is only for messages.
InventoryFile ParseInventory(std::string_view content, std::string_view file);

// Reads `path` ("-": standard input) and parses it.
InventoryFile LoadInventory(const std::string& path);

// Adds the pod of one `--target [NAMESPACE/]NAME=KIND:VALUE[,LABEL=VALUE...]`; KIND is pid, netns, cgroup,
// unit or container. InvalidArgument says what is wrong with `spec`; AlreadyExists when the inventory has
// that pod; the inventory is unchanged then.
absl::Status AddTarget(std::string_view spec, Inventory& inventory);

}  // namespace sabot::plan

#endif  // SABOT_CONTROLLER_PLAN_INVENTORY_H_
