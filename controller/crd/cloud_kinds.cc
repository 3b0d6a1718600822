// SPDX-License-Identifier: Apache-2.0
#include "controller/crd/schema.h"

namespace sabot::crd {
namespace {

constexpr std::string_view kChaosMesh = "chaos-mesh.org";

constexpr Field kDuration = {"duration", "duration", "",
                             "How long, from the object's creation; empty: until it is deleted."};
constexpr Field kSecret = {"secretName", "string", "", "Secret of this namespace with the credentials."};

constexpr Field kAwsChaos[] = {
    {"action", "string", "required enum=ec2-stop|ec2-restart|detach-volume", "What is done to the machine."},
    {"awsRegion", "string", "required", "Region of the machine."},
    {"deviceName", "string", "", "Device of the volume (detach-volume)."},
    kDuration,
    {"ec2Instance", "string", "required", "Id of the machine."},
    {"endpoint", "string", "", "URL of another endpoint than AWS's own."},
    kSecret,
    {"volumeID", "string", "", "Volume (detach-volume)."},
    SABOT_CRD_COMMON_FIELDS,
};
constexpr Rule kAwsRules[] = {
    {"", "self.action != 'detach-volume' || (has(self.volumeID) && self.volumeID != '')",
     "the ID of EBS volume should not be empty"},
    {"", "self.action != 'detach-volume' || (has(self.deviceName) && self.deviceName != '')",
     "the name of device should not be empty"},
};

constexpr Field kAzureChaos[] = {
    {"action", "string", "required enum=vm-stop|vm-restart|disk-detach", "What is done to the machine."},
    {"diskName", "string", "", "Disk (disk-detach)."},
    kDuration,
    {"lun", "integer", "", "Logical unit of the disk (disk-detach)."},
    {"resourceGroupName", "string", "required", "Resource group of the machine."},
    kSecret,
    {"subscriptionID", "string", "required", "Subscription of the machine."},
    {"vmName", "string", "required", "Name of the machine."},
    SABOT_CRD_COMMON_FIELDS,
};
constexpr Rule kAzureRules[] = {
    {"", "self.action != 'disk-detach' || (has(self.diskName) && self.diskName != '')",
     "the name of data disk should not be empty"},
    {"", "self.action != 'disk-detach' || has(self.lun)", "the LUN of data disk should not be empty"},
};

constexpr Field kGcpChaos[] = {
    {"action", "string", "required enum=node-stop|node-reset|disk-loss", "What is done to the machine."},
    {"deviceNames", "strings", "", "Disks (disk-loss)."},
    kDuration,
    {"instance", "string", "required", "Name of the machine."},
    {"project", "string", "required", "Project of the machine."},
    kSecret,
    {"zone", "string", "required", "Zone of the machine."},
    SABOT_CRD_COMMON_FIELDS,
};
constexpr Rule kGcpRules[] = {
    {"", "self.action != 'disk-loss' || (has(self.deviceNames) && size(self.deviceNames) > 0)",
     "at least one device name should be provided"},
};
constexpr Field kGcpStatus[] = {{"attachedDiskStrings", "strings", "", "Disks as they were attached."}};

constexpr Kind kTable[] = {
    {kChaosMesh,
     "AWSChaos",
     "awschaos",
     "",
     true,
     true,
     Status::kExperiment,
     "action duration",
     "Stops and restarts EC2 machines, detaches their volumes.",
     kAwsChaos,
     kAwsRules,
     {}},
    {kChaosMesh,
     "AzureChaos",
     "azurechaos",
     "",
     true,
     true,
     Status::kExperiment,
     "action duration",
     "Stops and restarts machines in Azure, detaches their disks.",
     kAzureChaos,
     kAzureRules,
     {}},
    {kChaosMesh, "GCPChaos", "gcpchaos", "", true, true, Status::kExperiment, "action duration",
     "Stops and resets machines in Google's cloud, detaches their disks.", kGcpChaos, kGcpRules, kGcpStatus},
};

}  // namespace

const absl::Span<const Kind> kCloudKinds = kTable;

}  // namespace sabot::crd
