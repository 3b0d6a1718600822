// SPDX-License-Identifier: Apache-2.0
#include "controller/crd/schema.h"

namespace sabot::crd {
namespace {

constexpr std::string_view kChaosMesh = "chaos-mesh.org";

constexpr Field kDuration = {"duration", "duration", "",
                             "How long, from the object's creation; empty: until it is deleted."};
constexpr Field kContainers = {"containerNames", "strings", "",
                               "Which containers of a pod; empty: the first of its spec."};
constexpr Field kTargets = {"", "targets", "required", ""};

constexpr Field kPodChaos[] = {
    {"action", "string", "required enum=pod-kill|pod-failure|container-kill",
     "pod-kill deletes pods, pod-failure makes them fail for a while, container-kill kills containers."},
    kContainers,
    kDuration,
    {"gracePeriod", "int64", "min=0", "Seconds that a pod gets to end (pod-kill); 0: none."},
    kTargets,
    SABOT_CRD_COMMON_FIELDS,
};
constexpr Rule kPodChaosRules[] = {
    {"", "self.action != 'container-kill' || (has(self.containerNames) && size(self.containerNames) > 0)",
     "the name of container is required on container-kill action"},
};

constexpr Field kNetworkChaos[] = {
    {"action", "string", "required enum=netem|delay|loss|duplicate|corrupt|partition|bandwidth",
     "partition drops all packets, bandwidth shapes; the others apply every block that is given."},
    {"bandwidth", "object", "", "A token bucket."},
    {"bandwidth.buffer", "int32", "required min=1", "Bytes that may be sent at once."},
    {"bandwidth.limit", "int32", "required min=1", "Bytes that may wait."},
    {"bandwidth.minburst", "int32", "min=0", "Bytes of the bucket of the peak rate."},
    {"bandwidth.peakrate", "int64", "min=0", "Bytes per second, the most within a burst."},
    {"bandwidth.rate", "rate", "required", "Such as 1mbps (bytes) or 1mbit (bits) per second."},
    {"corrupt", "object", "", "Flips one bit in some packets."},
    {"corrupt.correlation", "correlation", "", "Percent to which one draw depends on the one before."},
    {"corrupt.corrupt", "float", "required", "Percent of the packets."},
    {"delay", "object", "", "Holds packets back."},
    {"delay.correlation", "correlation", "", "Percent to which one draw depends on the one before."},
    {"delay.jitter", "duration", "pattern=^[0-9]+(\\.[0-9]+)?(ns|us|ms|s|m|h)$",
     "Width of the random part of the delay."},
    {"delay.latency", "duration", "required pattern=^[0-9]+(\\.[0-9]+)?(ns|us|ms|s|m|h)$", "How long."},
    {"delay.reorder", "object", "", "Lets some packets overtake the delayed ones."},
    {"delay.reorder.correlation", "correlation", "", "Percent to which one draw depends on the one before."},
    {"delay.reorder.gap", "integer", "required", "Each gap-th packet is a candidate."},
    {"delay.reorder.reorder", "float", "required", "Percent of the candidates that are not delayed."},
    {"device", "string", "", "Network device within the selected pods; empty: the default one."},
    {"direction", "string", "enum=to|from|both default=to",
     "to: what the selected pods send to the target; from: the way back; both: both."},
    {"duplicate", "object", "", "Sends some packets twice."},
    {"duplicate.correlation", "correlation", "", "Percent to which one draw depends on the one before."},
    {"duplicate.duplicate", "float", "required", "Percent of the packets."},
    kDuration,
    {"externalTargets", "strings", "", "Addresses, prefixes and host names outside the cluster."},
    {"loss", "object", "", "Drops some packets."},
    {"loss.correlation", "correlation", "", "Percent to which one draw depends on the one before."},
    {"loss.loss", "float", "required", "Percent of the packets."},
    kTargets,
    {"rate", "object", "", "The speed of the link."},
    {"rate.rate", "rate", "required", "Such as 1mbps (bytes) or 1mbit (bits) per second."},
    {"target", "object", "", "The other end; empty: everything."},
    {"target", "targets", "required", ""},
    {"targetDevice", "string", "", "Network device within the target's pods."},
    SABOT_CRD_COMMON_FIELDS,
};
constexpr Rule kNetworkChaosRules[] = {
    {"",
     "self.action == 'partition' || !has(self.direction) || self.direction == 'to' || "
     "!has(self.externalTargets) "
     "|| size(self.externalTargets) == 0",
     "external targets cannot be used with `from` and `both` direction in netem action yet"},
    {"",
     "self.action == 'partition' || !has(self.direction) || self.direction == 'to' || has(self.target) || "
     "(has(self.externalTargets) && size(self.externalTargets) > 0)",
     "`from` and `both` direction cannot be used when targets is empty in netem action"},
};
constexpr Field kInstances[] = {{"instances", "integers", "", "By record."}};

constexpr Field kIoChaos[] = {
    {"action", "string", "required enum=latency|fault|attrOverride|mistake",
     "latency waits, fault fails with errno, attrOverride changes attributes, mistake changes data."},
    {"attr", "object", "", "Attributes to show (attrOverride)."},
    {"attr.atime", "object", "", "Time of the last access."},
    {"attr.atime.nsec", "int64", "required", "Nanoseconds."},
    {"attr.atime.sec", "int64", "required", "Seconds since 1970."},
    {"attr.blocks", "int64", "", "Blocks of 512 bytes."},
    {"attr.ctime", "object", "", "Time of the last change of the inode."},
    {"attr.ctime.nsec", "int64", "required", "Nanoseconds."},
    {"attr.ctime.sec", "int64", "required", "Seconds since 1970."},
    {"attr.gid", "int32", "", "Group."},
    {"attr.ino", "int64", "", "Inode number."},
    {"attr.kind", "string", "",
     "namedPipe, charDevice, blockDevice, directory, regularFile, symlink or socket."},
    {"attr.mtime", "object", "", "Time of the last change of the data."},
    {"attr.mtime.nsec", "int64", "required", "Nanoseconds."},
    {"attr.mtime.sec", "int64", "required", "Seconds since 1970."},
    {"attr.nlink", "int32", "", "Number of hard links."},
    {"attr.perm", "integer", "", "Permission bits."},
    {"attr.rdev", "int32", "", "Device number."},
    {"attr.size", "int64", "", "Bytes."},
    {"attr.uid", "int32", "", "Owner."},
    kContainers,
    {"delay", "duration", "", "How long each operation waits (latency)."},
    kDuration,
    {"errno", "int32", "", "Number of the error (fault); not 0."},
    {"methods", "strings", "", "Operations such as open, read, write, getattr; empty: all."},
    {"mistake", "object", "", "How data is changed (mistake)."},
    {"mistake.filling", "string", "enum=zero|random", "What is written over the data."},
    {"mistake.maxLength", "int64", "min=1", "Bytes that one mistake is long at most."},
    {"mistake.maxOccurrences", "int64", "min=1", "Mistakes in one operation at most."},
    kTargets,
    {"path", "string", "", "Glob over the paths below the volume; empty: all."},
    {"percent", "integer", "default=100", "Percent of the operations."},
    {"volumePath", "string", "required", "Where the volume is mounted in the container."},
    SABOT_CRD_COMMON_FIELDS,
};
constexpr Rule kIoChaosRules[] = {
    {"", "self.action != 'fault' || (has(self.errno) && self.errno != 0)",
     "action fault: errno 0 is not supported"},
    {"", "!has(self.percent) || (self.percent >= 0 && self.percent <= 100)",
     "percent field should be in 0-100"},
};

constexpr Field kTimeChaos[] = {
    {"clockIds", "strings", "", "Clocks such as CLOCK_REALTIME, which is the default."},
    kContainers,
    {"duration", "string", "", "How long, from the object's creation; empty: until it is deleted."},
    kTargets,
    {"timeOffset", "offset", "required", "What is added to the clocks: 5m, -1h30m."},
    SABOT_CRD_COMMON_FIELDS,
};

constexpr Field kStressChaos[] = {
    kContainers,
    kDuration,
    kTargets,
    {"stressngStressors", "string", "", "Arguments of stress-ng instead of stressors."},
    {"stressors", "object", "", "What is put under load."},
    {"stressors.cpu", "object", "", "Processors."},
    {"stressors.cpu.load", "integer", "min=0 max=100", "Percent of each worker's processor."},
    {"stressors.cpu.options", "strings", "", "More arguments of stress-ng."},
    {"stressors.cpu.workers", "integer", "required max=8192", "Threads."},
    {"stressors.memory", "object", "", "Memory."},
    {"stressors.memory.oomScoreAdj", "integer", "default=0 min=-1000 max=1000",
     "How soon the kernel kills the stressor."},
    {"stressors.memory.options", "strings", "", "More arguments."},
    {"stressors.memory.size", "string", "", "Bytes such as 256MB, or percent of the memory such as 50%."},
    {"stressors.memory.workers", "integer", "required max=8192", "Threads."},
    SABOT_CRD_COMMON_FIELDS,
};
constexpr Rule kStressChaosRules[] = {
    {"", "has(self.stressors) || (has(self.stressngStressors) && self.stressngStressors != '')",
     "missing stressors"},
    {"stressors", "has(self.cpu) || has(self.memory)", "missing stressors"},
};
constexpr Field kStressStatus[] = {
    {"instances", "objects-map", "", "By record."},
    {"instances{}.memoryStartTime", "date-time", "", "When the memory stressor began."},
    {"instances{}.memoryUid", "string", "", "The memory stressor."},
    {"instances{}.startTime", "date-time", "", "When the processor stressor began."},
    {"instances{}.uid", "string", "", "The processor stressor."},
};

constexpr Field kHttpChaos[] = {
    {"abort", "boolean", "", "Closes the connection."},
    {"code", "int32", "", "Status codes to match (Response)."},
    {"delay", "duration", "", "How long a message waits."},
    kDuration,
    {"method", "string", "", "Method to match."},
    kTargets,
    {"patch", "object", "", "Adds to the message."},
    {"patch.body", "object", "", "Changes the body."},
    {"patch.body.type", "string", "required", "JSON."},
    {"patch.body.value", "string", "required", "A JSON merge patch."},
    {"patch.headers", "lists", "", "Pairs of name and value."},
    {"patch.queries", "lists", "", "Pairs of name and value."},
    {"path", "string", "", "Glob over the path to match."},
    {"port", "int32", "", "Port of the server in the selected pods."},
    {"replace", "object", "", "Replaces parts of the message."},
    {"replace.body", "byte", "", "The new body, in base64."},
    {"replace.code", "int32", "", "The new status code (Response)."},
    {"replace.headers", "map", "", "New values of headers."},
    {"replace.method", "string", "", "The new method (Request)."},
    {"replace.path", "string", "", "The new path (Request)."},
    {"replace.queries", "map", "", "New values of queries (Request)."},
    {"request_headers", "map", "", "Headers of the request to match."},
    {"response_headers", "map", "", "Headers of the response to match."},
    {"target", "string", "required enum=Request|Response", "What is changed."},
    {"tls", "object", "", "Certificates of a server that speaks TLS."},
    {"tls.caName", "string", "", "Key of the authority within the Secret."},
    {"tls.certName", "string", "required", "Key of the certificate within the Secret."},
    {"tls.keyName", "string", "required", "Key of the private key within the Secret."},
    {"tls.secretName", "string", "required", "Name of the Secret."},
    {"tls.secretNamespace", "string", "required", "Namespace of the Secret."},
    SABOT_CRD_COMMON_FIELDS,
};
constexpr Rule kHttpChaosRules[] = {
    {"", "has(self.port) && self.port > 0", "port 0 is not supported"},
    {"",
     "self.target != 'Request' || !has(self.method) || self.method in ['GET', 'POST', 'PUT', 'DELETE', "
     "'PATCH', "
     "'HEAD', 'OPTIONS', 'TRACE', 'CONNECT']",
     "method is not supported"},
};

constexpr Field kDnsChaos[] = {
    {"action", "string", "required enum=error|random", "error fails queries, random answers at random."},
    kContainers,
    kDuration,
    kTargets,
    {"patterns", "strings", "", "Names with `?` for one character, `*` only at the end; empty: all."},
    SABOT_CRD_COMMON_FIELDS,
};

constexpr Field kKernelChaos[] = {
    kContainers,
    kDuration,
    {"failKernRequest", "object", "required", "Which requests of the kernel fail."},
    {"failKernRequest.callchain", "objects", "", "Functions through which the request must have come."},
    {"failKernRequest.callchain[].funcname", "string", "", "Name of a function, from outer to inner."},
    {"failKernRequest.callchain[].parameters", "string", "", "Its parameters, as in C."},
    {"failKernRequest.callchain[].predicate", "string", "", "A condition over its parameters."},
    {"failKernRequest.failtype", "int32", "required min=0 max=2",
     "0: slab allocations, 1: page allocations, 2: block requests."},
    {"failKernRequest.headers", "strings", "", "Header files that the parameters need; ignored."},
    {"failKernRequest.probability", "int32", "min=0 max=100", "Percent of the requests."},
    {"failKernRequest.times", "int32", "min=0", "Failures at most; 0: no bound."},
    kTargets,
    SABOT_CRD_COMMON_FIELDS,
};

constexpr Field kBlockChaos[] = {
    {"action", "string", "required enum=delay", "delay holds requests of the block device back."},
    kContainers,
    {"delay", "object", "", "The delay."},
    {"delay.correlation", "correlation", "", "Percent to which one draw depends on the one before; 0."},
    {"delay.jitter", "duration", "", "Width of the random part; 0ms."},
    {"delay.latency", "duration", "", "How long."},
    kDuration,
    kTargets,
    {"volumeName", "string", "required", "Name of the volume in the pod's spec."},
    SABOT_CRD_COMMON_FIELDS,
};
constexpr Rule kBlockChaosRules[] = {
    {"", "self.action != 'delay' || has(self.delay)", "delay should be set on delay action"},
};
constexpr Field kBlockStatus[] = {{"ids", "integers", "", "By record."}};

constexpr Field kJvmChaos[] = {
    {"action", "string", "required enum=latency|return|exception|stress|gc|ruleData|mysql",
     "What is done in the Java machine."},
    {"class", "string", "", "Java class."},
    kContainers,
    {"cpuCount", "integer", "", "Processors to load (stress)."},
    {"database", "string", "", "Name of a database to match (mysql)."},
    kDuration,
    {"exception", "string", "", "Exception to throw."},
    {"latency", "integer", "", "Milliseconds to wait."},
    {"memType", "string", "", "stack or heap (stress)."},
    {"method", "string", "", "Java method."},
    kTargets,
    {"mysqlConnectorVersion", "string", "", "5 or 8 (mysql)."},
    {"name", "string", "", "Name of the rule; made up when empty."},
    {"pid", "integer", "", "Process; 0: the one named java."},
    {"port", "int32", "", "Port of the agent in the Java machine; 9277."},
    {"returnValue", "string", "", "What the method returns (return)."},
    {"ruleData", "string", "", "A rule in Byteman's language (ruleData)."},
    {"sqlType", "string", "", "Kind of statement to match (mysql)."},
    {"table", "string", "", "Name of a table to match (mysql)."},
    SABOT_CRD_COMMON_FIELDS,
};
constexpr Rule kJvmChaosRules[] = {
    {"",
     "!(self.action in ['latency', 'return', 'exception']) || (has(self.class) && self.class != '' && "
     "has(self.method) && self.method != '')",
     "class and method are required"},
    {"", "self.action != 'latency' || (has(self.latency) && self.latency != 0)", "latency is required"},
    {"", "self.action != 'return' || (has(self.returnValue) && self.returnValue != '')",
     "value not provided"},
    {"", "self.action != 'exception' || (has(self.exception) && self.exception != '')",
     "exception not provided"},
    {"",
     "self.action != 'stress' || ((has(self.cpuCount) && self.cpuCount != 0) != (has(self.memType) && "
     "self.memType != ''))",
     "one of cpuCount and memType must be set, and not both"},
    {"", "self.action != 'stress' || !has(self.memType) || self.memType in ['', 'stack', 'heap']",
     "memType must be stack or heap"},
    {"", "self.action != 'ruleData' || (has(self.ruleData) && self.ruleData != '')",
     "rule data not provided"},
    {"",
     "self.action != 'mysql' || (has(self.mysqlConnectorVersion) && self.mysqlConnectorVersion in ['5', "
     "'8'])",
     "mysqlConnectorVersion must be 5 or 8"},
    {"",
     "self.action != 'mysql' || (has(self.exception) && self.exception != '') || (has(self.latency) && "
     "self.latency != 0)",
     "one of exception and latency must be set"},
};

// Sabot's own.
constexpr Field kSyscallChaos[] = {
    {"action", "string", "required enum=errno", "errno lets system calls fail."},
    {"args", "objects", "", "Conditions on arguments, all of which must hold; four at most."},
    {"args[].index", "integer", "required min=0 max=5", "Which argument, from 0."},
    {"args[].op", "string",
     "enum===|!=|<|>|& default===", "How it is compared; & is: has one of these bits."},
    {"args[].value", "int-or-string", "required", "With what: 3, \"0x10\", -1."},
    {"args[].width", "integer", "min=32 max=64", "Bits that are compared: 32 or 64."},
    kContainers,
    kDuration,
    {"errno", "int-or-string", "required", "The error, by name (EIO) or number."},
    kTargets,
    {"percent", "integer", "default=100", "Percent of the calls."},
    {"skip", "int64", "min=0", "So many calls pass first."},
    {"syscalls", "strings", "required", "Names, and groups such as %file, %memory, %network."},
    {"times", "int64", "min=0", "So many calls fail at most; 0: no bound."},
    SABOT_CRD_COMMON_FIELDS,
};
constexpr Rule kSyscallChaosRules[] = {
    {"", "size(self.syscalls) > 0", "syscalls must name at least one system call or group"},
    {"", "!has(self.args) || size(self.args) <= 4", "args: at most 4 conditions are possible"},
    {"", "!has(self.percent) || (self.percent >= 0 && self.percent <= 100)",
     "percent field should be in 0-100"},
};

constexpr Kind kTable[] = {
    {kChaosMesh, "BlockChaos", "blockchaos", "", true, true, Status::kExperiment, "action duration",
     "Slows down block devices of pods.", kBlockChaos, kBlockChaosRules, kBlockStatus},
    {kChaosMesh,
     "DNSChaos",
     "dnschaos",
     "",
     true,
     true,
     Status::kExperiment,
     "action duration",
     "Makes names not resolve, or resolve wrongly.",
     kDnsChaos,
     {},
     {}},
    {kChaosMesh, "HTTPChaos", "httpchaos", "", true, true, Status::kExperiment, "duration",
     "Aborts, delays and changes HTTP requests and responses.", kHttpChaos, kHttpChaosRules, kInstances},
    {kChaosMesh, "IOChaos", "iochaos", "", true, true, Status::kExperiment, "action duration",
     "Slows down, fails and falsifies file operations.", kIoChaos, kIoChaosRules, kInstances},
    {kChaosMesh,
     "JVMChaos",
     "jvmchaos",
     "",
     true,
     true,
     Status::kExperiment,
     "action duration",
     "Changes what a Java program does.",
     kJvmChaos,
     kJvmChaosRules,
     {}},
    {kChaosMesh,
     "KernelChaos",
     "kernelchaos",
     "",
     true,
     true,
     Status::kExperiment,
     "duration",
     "Makes the kernel fail allocations and block requests of pods.",
     kKernelChaos,
     {},
     {}},
    {kChaosMesh, "NetworkChaos", "networkchaos", "", true, true, Status::kExperiment, "action duration",
     "Delays, drops, duplicates, corrupts, shapes and cuts the traffic of pods.", kNetworkChaos,
     kNetworkChaosRules, kInstances},
    {kChaosMesh,
     "PodChaos",
     "podchaos",
     "",
     true,
     true,
     Status::kExperiment,
     "",
     "Kills pods and containers, or lets them fail.",
     kPodChaos,
     kPodChaosRules,
     {}},
    {kChaosMesh, "StressChaos", "stresschaos", "", true, true, Status::kExperiment, "duration",
     "Loads processors and memory of pods.", kStressChaos, kStressChaosRules, kStressStatus},
    {"sabot.dev",
     "SyscallChaos",
     "syscallchaos",
     "",
     true,
     true,
     Status::kExperiment,
     "action duration",
     "Lets system calls of pods fail.",
     kSyscallChaos,
     kSyscallChaosRules,
     {}},
    {kChaosMesh,
     "TimeChaos",
     "timechaos",
     "",
     true,
     true,
     Status::kExperiment,
     "duration",
     "Shifts the clocks that pods see.",
     kTimeChaos,
     {},
     {}},
};

}  // namespace

const absl::Span<const Kind> kPodKinds = kTable;

}  // namespace sabot::crd
