// SPDX-License-Identifier: Apache-2.0
#include "tools/sabot/local_inventory.h"

#include <linux/rtnetlink.h>
#include <unistd.h>

#include <random>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "controller/api/go_duration.h"
#include "controller/api/manifest.h"
#include "loader/netlink_address.h"
#include "loader/netlink_link.h"
#include "loader/status.h"

namespace sabot::cli {
namespace {

void Append(std::vector<api::Problem>& all, const std::vector<api::Problem>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

api::Problem Error(std::string field, const absl::Status& status) {
  api::Problem problem;
  problem.field = std::move(field);
  problem.message = std::string(status.message());
  return problem;
}

// The addresses by which others reach the namespace: global ones of devices other than loopback.
absl::StatusOr<std::vector<plan::IpAddress>> AddressesOf(const loader::Netns& netns) {
  SABOT_ASSIGN_OR_RETURN(loader::Netlink netlink, loader::Netlink::Open(netns));
  SABOT_ASSIGN_OR_RETURN(const auto addresses, loader::ListAddresses(netlink));
  std::vector<plan::IpAddress> reachable;
  for (const loader::Address& address : addresses) {
    if (address.scope != RT_SCOPE_UNIVERSE) continue;
    SABOT_ASSIGN_OR_RETURN(plan::IpAddress ip, plan::IpAddress::FromBytes(address.prefix.address()));
    reachable.push_back(ip);
  }
  return reachable;
}

// What Kubernetes would know of a pod, seen from the machine.
absl::Status LookUp(plan::Pod& pod, const agent::ContainerLookup& containers) {
  SABOT_ASSIGN_OR_RETURN(const auto target, agent::ResolveTarget(pod.target, containers));
  pod.host_network = target->host_network;
  if (!pod.addresses.empty() || target->netns == nullptr) return absl::OkStatus();
  SABOT_ASSIGN_OR_RETURN(pod.addresses, AddressesOf(*target->netns));
  return absl::OkStatus();
}

plan::Inventory ReadInventory(const ExperimentOptions& options, std::vector<api::Problem>& problems) {
  plan::Inventory inventory;
  if (!options.inventory.empty()) {
    plan::InventoryFile file = plan::LoadInventory(options.inventory);
    Append(problems, file.problems);
    inventory = std::move(file.inventory);
  }
  for (const std::string& spec : options.targets) {
    if (absl::Status added = plan::AddTarget(spec, inventory); !added.ok()) {
      problems.push_back(Error(absl::StrCat("--target ", spec), added));
    }
  }
  return inventory;
}

std::vector<api::Experiment> ReadManifests(const ExperimentOptions& options,
                                           std::vector<api::Problem>& problems) {
  std::vector<api::Experiment> experiments;
  for (const std::string& path : options.files) {
    api::Manifests manifests = api::LoadManifests(path);
    Append(problems, manifests.problems);
    std::move(manifests.experiments.begin(), manifests.experiments.end(), std::back_inserter(experiments));
  }
  return experiments;
}

absl::StatusOr<plan::PlanOptions> PlanOptionsOf(const ExperimentOptions& options) {
  plan::PlanOptions plan_options;
  plan_options.allow_host_network = options.allow_host_network;
  if (options.duration.empty()) return plan_options;
  SABOT_ASSIGN_OR_RETURN(plan_options.duration, api::ParseGoDuration(options.duration));
  if (*plan_options.duration >= plan_options.minimum_duration) return plan_options;
  return absl::InvalidArgumentError(absl::StrCat(options.duration, " is below one second"));
}

// Says what a person can do about refused targets.
void NameHostNetwork(const plan::Inventory& inventory, std::vector<api::Problem>& problems) {
  for (const plan::Pod& pod : inventory.pods) {
    if (!pod.host_network) continue;
    problems.push_back(
        Error(absl::StrCat("target ", pod.Id()),
              absl::FailedPreconditionError(
                  "lives in the machine's own network namespace, where a fault could cut off the "
                  "machine; --allow-host-network permits it, by cgroup hooks only")));
  }
}

}  // namespace

LocalPlan PlanLocally(const ExperimentOptions& options, const agent::ContainerLookup& containers) {
  LocalPlan local;
  const auto experiments = ReadManifests(options, local.problems);
  plan::Inventory inventory = ReadInventory(options, local.problems);
  auto plan_options = PlanOptionsOf(options);
  if (!plan_options.ok()) local.problems.push_back(Error("--duration", plan_options.status()));
  if (!local.ok()) return local;
  if (inventory.pods.empty()) {
    local.problems.push_back(
        Error("--target", absl::NotFoundError("there is nothing to select from: name local "
                                              "things by --target or --inventory")));
  }
  for (plan::Pod& pod : inventory.pods) {
    absl::Status found = LookUp(pod, containers);
    if (absl::IsPermissionDenied(found) && geteuid() != 0) {
      found = absl::PermissionDeniedError(
          absl::StrCat(found.message(), " (looking into other namespaces needs root)"));
    }
    if (!found.ok()) local.problems.push_back(Error(absl::StrCat("target ", pod.Id()), found));
  }
  if (!local.ok()) return local;
  std::mt19937_64 rng(options.seed != 0 ? options.seed : absl::Uniform<uint64_t>(absl::BitGen()));
  local.result = plan::Plan(experiments, inventory, *plan_options, rng);
  for (const auto& experiment : local.result.experiments) Append(local.problems, experiment.problems);
  if (!local.ok() && !options.allow_host_network) NameHostNetwork(inventory, local.problems);
  return local;
}

}  // namespace sabot::cli
