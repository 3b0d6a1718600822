// SPDX-License-Identifier: Apache-2.0
#include "controller/crd/schema.h"

namespace sabot::crd {
namespace {

constexpr std::string_view kChaosMesh = "chaos-mesh.org";

// Fields that several blocks have.
#define NETWORK_MATCH(block)                                                                    \
  {block ".correlation", "string", "", "Percent to which one draw depends on the one before."}, \
      {block ".device", "string", "", "Network device."},                                       \
      {block ".egress-port", "string", "", "Ports to which packets go."},                       \
      {block ".hostname", "string", "", "Host to which packets go."},                           \
      {block ".ip-address", "string", "", "Address to which packets go."},                      \
      {block ".ip-protocol", "string", "", "tcp, udp, icmp or all."}, {                         \
    block ".source-port", "string", "", "Ports from which packets come."                        \
  }
#define JVM(block)                                         \
  {block ".pid", "integer", "", "The Java process."}, {    \
    block ".port", "int32", "", "Port of the agent in it." \
  }
#define JVM_METHOD(block) \
  JVM(block), {block ".class", "string", "", "Java class."}, { block ".method", "string", "", "Java method." }
#define REDIS(block)                                           \
  {block ".addr", "string", "", "Address of the server."}, {   \
    block ".password", "string", "", "Password of the server." \
  }
#define KAFKA(block)                                                                                         \
  {block ".host", "string", "", "Address of a broker."},                                                     \
      {block ".messageSize", "integer", "", "Bytes of a message."},                                          \
      {block ".password", "string", "", "Password."}, {block ".port", "integer", "", "Port of the broker."}, \
      {block ".topic", "string", "", "Topic."}, {                                                            \
    block ".username", "string", "", "User."                                                                 \
  }
#define HTTP_MATCH(block)                                                                                   \
  {block ".code", "string", "", "Status code to match."},                                                   \
      {block ".method", "string", "", "Method to match."}, {block ".path", "string", "", "Path to match."}, \
      {block ".port", "int32", "", "Port of the server."},                                                  \
      {block ".proxy_ports", "any", "", "Ports that are intercepted."}, {                                   \
    block ".target", "string", "", "Request or Response."                                                   \
  }
#define REDIS_SERVER(block)                                                                   \
  REDIS(block), {block ".conf", "string", "", "Path of the configuration."},                  \
      {block ".flushConfig", "boolean", "", "Whether the configuration is written first."}, { \
    block ".redisPath", "boolean", "", "As upstream has it."                                  \
  }

constexpr Field kChaos[] = {
    {"action", "string",
     "required enum=stress-cpu|stress-mem|disk-read-payload|disk-write-payload|disk-fill|network-corrupt|"
     "network-duplicate|network-loss|network-delay|network-partition|network-dns|network-bandwidth|network-"
     "flood|"
     "network-down|process|jvm-exception|jvm-gc|jvm-latency|jvm-return|jvm-stress|jvm-rule-data|jvm-mysql|"
     "clock|"
     "redis-expiration|redis-penetration|redis-cacheLimit|redis-restart|redis-stop|kafka-fill|kafka-flood|"
     "kafka-io|"
     "file-create|file-modify|file-delete|file-rename|file-append|file-replace|vm|user_defined",
     "What is done; the block of the same name says how."},
    {"address", "strings", "", "URLs of machines; use selector instead."},
    {"clock", "object", "", "Shifts a clock."},
    {"clock.clock-ids-slice", "string", "", "Clocks, with commas between."},
    {"clock.pid", "integer", "", "Process."},
    {"clock.time-offset", "string", "", "What is added."},
    {"disk-fill", "object", "", "Fills a disk."},
    {"disk-fill.fill-by-fallocate", "boolean", "", "Reserves instead of writing."},
    {"disk-fill.path", "string", "", "File."},
    {"disk-fill.size", "string", "", "Bytes such as 10GB, or percent."},
    {"disk-read-payload", "object", "", "Reads from a disk."},
    {"disk-read-payload.path", "string", "", "File."},
    {"disk-read-payload.payload-process-num", "integer", "", "Processes."},
    {"disk-read-payload.size", "string", "", "Bytes."},
    {"disk-write-payload", "object", "", "Writes to a disk."},
    {"disk-write-payload.path", "string", "", "File."},
    {"disk-write-payload.payload-process-num", "integer", "", "Processes."},
    {"disk-write-payload.size", "string", "", "Bytes."},
    {"duration", "duration", "", "How long, from the object's creation; empty: until it is deleted."},
    {"file-append", "object", "", "Appends to a file."},
    {"file-append.count", "integer", "", "Times."},
    {"file-append.data", "string", "", "Text."},
    {"file-append.file-name", "string", "", "File."},
    {"file-create", "object", "", "Creates a file or directory."},
    {"file-create.dir-name", "string", "", "Directory."},
    {"file-create.file-name", "string", "", "File."},
    {"file-delete", "object", "", "Deletes a file or directory."},
    {"file-delete.dir-name", "string", "", "Directory."},
    {"file-delete.file-name", "string", "", "File."},
    {"file-modify", "object", "", "Changes permissions."},
    {"file-modify.file-name", "string", "", "File."},
    {"file-modify.privilege", "int32", "", "Permission bits."},
    {"file-rename", "object", "", "Renames a file."},
    {"file-rename.dest-file", "string", "", "New name."},
    {"file-rename.source-file", "string", "", "Old name."},
    {"file-replace", "object", "", "Replaces text in a file."},
    {"file-replace.dest-string", "string", "", "New text."},
    {"file-replace.file-name", "string", "", "File."},
    {"file-replace.line", "integer", "", "Line; 0: all."},
    {"file-replace.origin-string", "string", "", "Old text."},
    {"http-abort", "object", "", "Aborts HTTP requests."},
    HTTP_MATCH("http-abort"),
    {"http-config", "object", "", "HTTP faults from a file."},
    {"http-config.file_path", "string", "", "File."},
    {"http-delay", "object", "", "Delays HTTP requests."},
    HTTP_MATCH("http-delay"),
    {"http-delay.delay", "string", "", "How long."},
    {"http-request", "object", "", "Sends HTTP requests."},
    {"http-request.count", "integer", "", "How many."},
    {"http-request.enable-conn-pool", "boolean", "", "Keeps connections."},
    {"http-request.url", "string", "", "Where to."},
    {"jvm-exception", "object", "", "Throws an exception."},
    JVM_METHOD("jvm-exception"),
    {"jvm-exception.exception", "string", "", "Exception."},
    {"jvm-gc", "object", "", "Collects garbage."},
    JVM("jvm-gc"),
    {"jvm-latency", "object", "", "Slows a method down."},
    JVM_METHOD("jvm-latency"),
    {"jvm-latency.latency", "integer", "", "Milliseconds."},
    {"jvm-mysql", "object", "", "Disturbs the MySQL driver."},
    JVM("jvm-mysql"),
    {"jvm-mysql.database", "string", "", "Database to match."},
    {"jvm-mysql.exception", "string", "", "Exception."},
    {"jvm-mysql.latency", "integer", "", "Milliseconds."},
    {"jvm-mysql.mysqlConnectorVersion", "string", "", "5 or 8."},
    {"jvm-mysql.sqlType", "string", "", "Statement to match."},
    {"jvm-mysql.table", "string", "", "Table to match."},
    {"jvm-return", "object", "", "Changes what a method returns."},
    JVM_METHOD("jvm-return"),
    {"jvm-return.value", "string", "", "Value."},
    {"jvm-rule-data", "object", "", "Installs a rule."},
    JVM("jvm-rule-data"),
    {"jvm-rule-data.rule-data", "string", "", "Rule in Byteman's language."},
    {"jvm-stress", "object", "", "Loads the Java machine."},
    JVM("jvm-stress"),
    {"jvm-stress.cpu-count", "integer", "", "Processors."},
    {"jvm-stress.mem-type", "string", "", "stack or heap."},
    {"kafka-fill", "object", "", "Fills a broker."},
    KAFKA("kafka-fill"),
    {"kafka-fill.maxBytes", "int64", "", "Bytes."},
    {"kafka-fill.reloadCommand", "string", "", "Command that makes the broker read its configuration."},
    {"kafka-flood", "object", "", "Floods a broker."},
    KAFKA("kafka-flood"),
    {"kafka-flood.threads", "integer", "", "Threads."},
    {"kafka-io", "object", "", "Takes permissions from a broker's files."},
    {"kafka-io.configFile", "string", "", "Configuration of the broker."},
    {"kafka-io.nonReadable", "boolean", "", "No reading."},
    {"kafka-io.nonWritable", "boolean", "", "No writing."},
    {"kafka-io.topic", "string", "", "Topic."},
    {"", "targets", "required machines", ""},
    {"network-bandwidth", "object", "", "Shapes."},
    {"network-bandwidth.buffer", "int32", "required min=1", "Bytes at once."},
    {"network-bandwidth.device", "string", "", "Network device."},
    {"network-bandwidth.hostname", "string", "", "Host to which packets go."},
    {"network-bandwidth.ip-address", "string", "", "Address to which packets go."},
    {"network-bandwidth.limit", "int32", "required min=1", "Bytes that may wait."},
    {"network-bandwidth.minburst", "int32", "min=0", "Bytes of the bucket of the peak rate."},
    {"network-bandwidth.peakrate", "int64", "min=0", "Bytes per second."},
    {"network-bandwidth.rate", "string", "required", "Such as 1mbps."},
    {"network-corrupt", "object", "", "Corrupts packets."},
    NETWORK_MATCH("network-corrupt"),
    {"network-corrupt.percent", "string", "", "Percent of the packets."},
    {"network-delay", "object", "", "Delays packets."},
    NETWORK_MATCH("network-delay"),
    {"network-delay.accept-tcp-flags", "string", "", "Flags of packets that pass."},
    {"network-delay.jitter", "string", "", "Width of the random part."},
    {"network-delay.latency", "string", "", "How long."},
    {"network-dns", "object", "", "Changes name servers."},
    {"network-dns.dns-domain-name", "string", "", "Name."},
    {"network-dns.dns-ip", "string", "", "Its address."},
    {"network-dns.dns-server", "string", "", "Address of a server."},
    {"network-down", "object", "", "Takes a device down."},
    {"network-down.device", "string", "", "Network device."},
    {"network-down.duration", "string", "", "How long."},
    {"network-duplicate", "object", "", "Duplicates packets."},
    NETWORK_MATCH("network-duplicate"),
    {"network-duplicate.percent", "string", "", "Percent of the packets."},
    {"network-flood", "object", "", "Sends traffic."},
    {"network-flood.duration", "string", "required", "How long."},
    {"network-flood.ip-address", "string", "", "Where to."},
    {"network-flood.parallel", "int32", "", "Streams."},
    {"network-flood.port", "string", "", "Where to."},
    {"network-flood.rate", "string", "required", "Such as 1mbps."},
    {"network-loss", "object", "", "Drops packets."},
    NETWORK_MATCH("network-loss"),
    {"network-loss.percent", "string", "", "Percent of the packets."},
    {"network-partition", "object", "", "Cuts."},
    {"network-partition.accept-tcp-flags", "string", "", "Flags of packets that pass."},
    {"network-partition.device", "string", "", "Network device."},
    {"network-partition.direction", "string", "", "to or from."},
    {"network-partition.hostname", "string", "", "Host."},
    {"network-partition.ip-address", "string", "", "Address."},
    {"network-partition.ip-protocol", "string", "", "tcp, udp, icmp or all."},
    {"process", "object", "", "Signals a process."},
    {"process.process", "string", "", "Name or number of the process."},
    {"process.recoverCmd", "string", "", "Command that starts it again."},
    {"process.signal", "integer", "", "Number of the signal."},
    {"redis-cacheLimit", "object", "", "Limits the memory of Redis."},
    REDIS("redis-cacheLimit"),
    {"redis-cacheLimit.cacheSize", "string", "", "Bytes."},
    {"redis-cacheLimit.percent", "string", "", "Percent of the memory."},
    {"redis-expiration", "object", "", "Lets keys of Redis expire."},
    REDIS("redis-expiration"),
    {"redis-expiration.expiration", "string", "", "When."},
    {"redis-expiration.key", "string", "", "Key; empty: all."},
    {"redis-expiration.option", "string", "", "XX, NX, GT or LT."},
    {"redis-penetration", "object", "", "Asks Redis for keys that do not exist."},
    REDIS("redis-penetration"),
    {"redis-penetration.requestNum", "integer", "", "Requests."},
    {"redis-restart", "object", "", "Restarts Redis."},
    REDIS_SERVER("redis-restart"),
    {"redis-stop", "object", "", "Stops Redis."},
    REDIS_SERVER("redis-stop"),
    {"stress-cpu", "object", "", "Loads processors."},
    {"stress-cpu.load", "integer", "", "Percent."},
    {"stress-cpu.options", "strings", "", "More arguments of stress-ng."},
    {"stress-cpu.workers", "integer", "", "Threads."},
    {"stress-mem", "object", "", "Loads memory."},
    {"stress-mem.options", "strings", "", "More arguments of stress-ng."},
    {"stress-mem.size", "string", "", "Bytes such as 256MB, or percent."},
    {"uid", "string", "", "Id of the attack; made up when empty."},
    {"user_defined", "object", "", "Runs commands."},
    {"user_defined.attackCmd", "string", "", "Command that begins."},
    {"user_defined.recoverCmd", "string", "", "Command that ends."},
    {"vm", "object", "", "Stops a virtual machine."},
    {"vm.vm-name", "string", "", "Its name."},
    SABOT_CRD_COMMON_FIELDS,
};
constexpr Field kMachine[] = {{"address", "string", "required", "URL of chaosd on the machine."}};

constexpr Kind kTable[] = {
    {kChaosMesh,
     "PhysicalMachineChaos",
     "physicalmachinechaos",
     "",
     true,
     true,
     Status::kExperiment,
     "action duration",
     "Faults on machines outside the cluster.",
     kChaos,
     {},
     {}},
    {kChaosMesh,
     "PhysicalMachine",
     "physicalmachines",
     "",
     true,
     true,
     Status::kNone,
     "",
     "A machine outside the cluster.",
     kMachine,
     {},
     {}},
};

}  // namespace

const absl::Span<const Kind> kMachineKinds = kTable;

}  // namespace sabot::crd
