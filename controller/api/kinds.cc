// SPDX-License-Identifier: Apache-2.0
#include "controller/api/kinds.h"

namespace sabot::api {
namespace {

constexpr std::string_view kChaosMesh = "chaos-mesh.org/v1alpha1";
constexpr std::string_view kSabot = "sabot.dev/v1alpha1";

constexpr Kind kKinds[] = {
    {kChaosMesh, "NetworkChaos", DecodeNetworkChaos},
    {kChaosMesh, "TimeChaos", DecodeTimeChaos},
    {kChaosMesh, "AWSChaos", nullptr},
    {kChaosMesh, "AzureChaos", nullptr},
    {kChaosMesh, "BlockChaos", nullptr},
    {kChaosMesh, "DNSChaos", nullptr},
    {kChaosMesh, "GCPChaos", nullptr},
    {kChaosMesh, "HTTPChaos", nullptr},
    {kChaosMesh, "IOChaos", nullptr},
    {kChaosMesh, "JVMChaos", nullptr},
    {kChaosMesh, "KernelChaos", nullptr},
    {kChaosMesh, "PhysicalMachineChaos", nullptr},
    {kChaosMesh, "PodChaos", nullptr},
    {kChaosMesh, "StressChaos", nullptr},
    {kChaosMesh, "Schedule", nullptr},
    {kChaosMesh, "Workflow", nullptr},
    {kChaosMesh, "WorkflowNode", nullptr},
    {kChaosMesh, "StatusCheck", nullptr},
    {kChaosMesh, "PhysicalMachine", nullptr},
    {kChaosMesh, "RemoteCluster", nullptr},
    {kChaosMesh, "PodNetworkChaos", nullptr},
    {kChaosMesh, "PodIOChaos", nullptr},
    {kChaosMesh, "PodHttpChaos", nullptr},
    {kSabot, "SyscallChaos", DecodeSyscallChaos},
};

}  // namespace

absl::Span<const Kind> AllKinds() { return kKinds; }

}  // namespace sabot::api
