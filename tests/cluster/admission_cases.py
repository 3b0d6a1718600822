# SPDX-License-Identifier: Apache-2.0
"""What is admitted and what is not: one table for the CRDs, the webhook and `sabot validate`.

A case is a kind's sound spec with some fields changed. Each rule is met from both sides of its bound. `message` is a
part of what the one who is refused must read; of OpenAPI's own rules it is the name of the field."""
import copy
import dataclasses

DROP = object()  # as a value: the field is taken away
SELECTOR = {"namespaces": ["default"], "labelSelectors": {"app": "web"}}
TARGETS = {"mode": "all", "selector": SELECTOR}

SOUND = {
    "AWSChaos": {"action": "ec2-stop", "awsRegion": "eu-west-1", "ec2Instance": "i-1"},
    "AzureChaos": {"action": "vm-stop", "resourceGroupName": "g", "subscriptionID": "s", "vmName": "v"},
    "GCPChaos": {"action": "node-stop", "instance": "i", "project": "p", "zone": "z"},
    "BlockChaos": {"action": "delay", "volumeName": "data", "delay": {"latency": "10ms"}, **TARGETS},
    "DNSChaos": {"action": "error", "patterns": ["example.*"], **TARGETS},
    "HTTPChaos": {"target": "Request", "port": 80, "abort": True, **TARGETS},
    "IOChaos": {"action": "latency", "volumePath": "/data", "delay": "10ms", **TARGETS},
    "JVMChaos": {"action": "gc", **TARGETS},
    "KernelChaos": {"failKernRequest": {"failtype": 0}, **TARGETS},
    "NetworkChaos": {"action": "delay", "delay": {"latency": "10ms"}, **TARGETS},
    "PhysicalMachineChaos": {"action": "process", "mode": "all", "address": ["http://a:31767"],
                             "process": {"process": "p", "signal": 9}},
    "PodChaos": {"action": "pod-kill", **TARGETS},
    "StressChaos": {"stressors": {"cpu": {"workers": 1}}, **TARGETS},
    "SyscallChaos": {"action": "errno", "syscalls": ["openat"], "errno": "EIO", **TARGETS},
    "TimeChaos": {"timeOffset": "-10m", **TARGETS},
    "Schedule": {"schedule": "@every 1h", "type": "PodChaos", "podChaos": {"action": "pod-kill", **TARGETS}},
    "Workflow": {"entry": "a", "templates": [{"name": "a", "templateType": "Suspend", "deadline": "1m"}]},
    "WorkflowNode": {"templateName": "a", "workflowName": "w", "type": "Suspend",
                     "startTime": "2026-01-01T00:00:00Z"},
    "StatusCheck": {"type": "HTTP", "http": {"url": "http://a", "criteria": {"statusCode": "200"}}},
    "PhysicalMachine": {"address": "http://a:31767"},
    "RemoteCluster": {"namespace": "n", "version": "v",
                      "kubeConfig": {"secretRef": {"key": "k", "name": "n", "namespace": "n"}}},
}
PLURALS = {"PhysicalMachine": "physicalmachines", "RemoteCluster": "remoteclusters", "Schedule": "schedules",
           "StatusCheck": "statuschecks", "Workflow": "workflows", "WorkflowNode": "workflownodes"}
POD_KINDS = ["BlockChaos", "DNSChaos", "HTTPChaos", "IOChaos", "JVMChaos", "KernelChaos", "NetworkChaos", "PodChaos",
             "StressChaos", "SyscallChaos", "TimeChaos"]


def api_version(kind):
    return "sabot.dev/v1alpha1" if kind == "SyscallChaos" else "chaos-mesh.org/v1alpha1"


@dataclasses.dataclass
class Case:
    kind: str
    changes: dict  # "delay.latency" -> value; numbers are places in lists
    admitted: bool
    message: str = ""
    # What only code can tell: the CRD alone admits it.
    code: bool = False
    # Upstream's mutating webhook makes it sound; the CRD alone refuses it.
    defaulted: bool = False

    @property
    def name(self):
        changes = ", ".join(f"{path}={'-' if value is DROP else repr(value)[:40]}" for path, value in
                            self.changes.items())
        return f"{self.kind}: {changes or 'as it is'} is {'admitted' if self.admitted else 'refused'}"

    def spec(self):
        spec = copy.deepcopy(SOUND[self.kind])
        for path, value in self.changes.items():
            *parents, last = path.split(".")
            at = spec
            for part in parents:
                at = at[int(part)] if isinstance(at, list) else at.setdefault(part, {})
            if value is DROP:
                del at[last]
            else:
                at[last] = copy.deepcopy(value)
        return spec


CASES = []


def good(kind, **more):
    def add(*changes):
        CASES.extend(Case(kind, change, True, **more) for change in changes)
    return add


def bad(kind, message, **more):
    def add(*changes):
        CASES.extend(Case(kind, change, False, message, **more) for change in changes)
    return add


def both(kind, field, fine, wrong, message, **more):
    """`field` with each of the fine and each of the wrong values."""
    good(kind)(*({field: value} for value in fine))
    bad(kind, message, **more)(*({field: value} for value in wrong))


DURATION = "parse duration field error"
for kind in SOUND:
    good(kind)({})

# Every field that must be there, missing.
REQUIRED = {
    "AWSChaos": ["action", "awsRegion", "ec2Instance"],
    "AzureChaos": ["action", "resourceGroupName", "subscriptionID", "vmName"],
    "GCPChaos": ["action", "instance", "project", "zone"],
    "BlockChaos": ["action", "volumeName"], "DNSChaos": ["action"], "HTTPChaos": ["target"],
    "IOChaos": ["action", "volumePath"], "JVMChaos": ["action"], "KernelChaos": ["failKernRequest"],
    "NetworkChaos": ["action"], "PhysicalMachineChaos": ["action", "mode"], "PodChaos": ["action"],
    "StressChaos": [], "SyscallChaos": ["action", "errno", "syscalls"], "TimeChaos": ["timeOffset"], "Schedule": ["schedule", "type"],
    "Workflow": ["entry", "templates"], "WorkflowNode": ["templateName", "workflowName", "type", "startTime"],
    "PhysicalMachine": ["address"], "RemoteCluster": ["namespace", "version", "kubeConfig"],
}
for kind, fields in REQUIRED.items():
    for field in fields:
        bad(kind, field)({field: DROP})

# Enums: each value, and one that is none.
ACTIONS = {
    "AWSChaos": ["ec2-restart"], "AzureChaos": ["vm-restart"], "GCPChaos": ["node-reset"],
    "DNSChaos": ["error", "random"], "IOChaos": ["latency", "attrOverride", "mistake"],
    "NetworkChaos": ["netem", "delay", "loss", "duplicate", "corrupt", "partition"],
    "PodChaos": ["pod-kill", "pod-failure"], "BlockChaos": ["delay"], "JVMChaos": ["gc"],
}
for kind, actions in ACTIONS.items():
    both(kind, "action", actions, ["", "no-such-action"], "action")
    bad(kind, "action")({"action": 5})

for kind in POD_KINDS:
    both(kind, "mode", ["one", "all"], ["", "some", "All", 1], "mode")
    for field in ("mode", "selector"):
        bad(kind, field)({field: DROP})
    good(kind)(
        {"mode": "fixed", "value": "1"}, {"mode": "fixed", "value": "1000000"},
        {"mode": "fixed-percent", "value": "1"}, {"mode": "fixed-percent", "value": "100"},
        {"mode": "random-max-percent", "value": "1"}, {"mode": "random-max-percent", "value": "100"},
        {"mode": "one", "value": "nonsense"}, {"mode": "all", "value": "-5"},
        {"selector": {}}, {"selector.nodes": ["n"]}, {"selector.pods": {"default": ["p"]}},
        {"selector.podPhaseSelectors": ["!Failed"]}, {"selector.annotationSelectors": {"a": "b"}},
        {"selector.expressionSelectors": [{"key": "a", "operator": "In", "values": ["b"]}]},
        {"selector.expressionSelectors": [{"key": "a", "operator": "Foo"}]},
        {"selector.podPhaseSelectors": ["NoPhase"]}, {"selector.namespaces": ["No Such"]},
        {"remoteCluster": "other"})
    bad(kind, "value must be greater than 0 with mode:fixed")(
        {"mode": "fixed", "value": "0"}, {"mode": "fixed", "value": "-1"})
    bad(kind, "parse value field error")({"mode": "fixed", "value": "x"}, {"mode": "fixed", "value": ""},
                                         {"mode": "fixed-percent", "value": "5%"}, {"mode": "fixed"})
    bad(kind, "Must be (0,100]")(
        {"mode": "fixed-percent", "value": "0"}, {"mode": "fixed-percent", "value": "101"},
        {"mode": "random-max-percent", "value": "0"}, {"mode": "random-max-percent", "value": "101"})
    bad(kind, "selector")({"selector": "all"}, {"selector.namespaces": "default"},
                          {"selector.expressionSelectors": [{"key": "a"}]})

for kind in SOUND:
    if not kind.endswith("Chaos") or kind == "TimeChaos":
        continue
    both(kind, "duration", ["", "0", "1s", "1h2m3.5s", ".5s", "-1s", "1µs", "+5m"],
         ["1", "s", "1d", "1 s", "1s2", "--1s", "1.2.3s"], DURATION)
    bad(kind, "duration")({"duration": 10})

both("PodChaos", "gracePeriod", [0, 30], [-1, "5", 1.5], "gracePeriod")
good("PodChaos")({"action": "container-kill", "containerNames": ["a"]}, {"duration": "1m"})
bad("PodChaos", "the name of container is required on container-kill action")(
    {"action": "container-kill"}, {"action": "container-kill", "containerNames": []})

# NetworkChaos
both("NetworkChaos", "delay.latency", ["1ns", "0.5ms", "10h"], ["", "-1ms", "1", "ms", "1.ms", "1ms1ms", 5],
     "delay.latency")
both("NetworkChaos", "delay.jitter", ["0ms", "2.5us"], ["5", "-1ms"], "delay.jitter")
good("NetworkChaos", defaulted=True)({"delay.jitter": ""}, {"direction": ""})
both("NetworkChaos", "delay.correlation", ["", "0", "100", "25.5", "NaN", "-1", "101", "1e3"], ["x", "5%"],
     "parse correlation field error")
both("NetworkChaos", "delay.reorder", [{"reorder": "50", "gap": 1}, {"reorder": "50", "gap": 0}],
     [{"reorder": "50"}, {"gap": 1}], "reorder")
for block in ("loss", "duplicate", "corrupt"):
    good("NetworkChaos")(*({"action": block, block: {block: value}} for value in ("0", "100", "101", "-1", ".5")))
    bad("NetworkChaos", "parse correlation field error")(
        *({"action": block, block: {block: value}} for value in ("", "many", "1,5", "50%")))
    bad("NetworkChaos", f"{block}.{block}")({"action": block, block: {}})
for rate in ("1bit", "1kbit", "2 mbit", "3GBIT", "4tbit", "1bps", "1kbps", "1mbps", "1gbps", "1tbps"):
    good("NetworkChaos")({"action": "netem", "rate": {"rate": rate}},
                         {"action": "bandwidth", "bandwidth": {"rate": rate, "limit": 1, "buffer": 1}})
for rate in ("", "1", "mbps", "-1mbps", "1.5mbps", "1 xbps", "1mb"):
    bad("NetworkChaos", "parse rate field error")(
        {"action": "netem", "rate": {"rate": rate}},
        {"action": "bandwidth", "bandwidth": {"rate": rate, "limit": 1, "buffer": 1}})
for field in ("limit", "buffer"):
    bad("NetworkChaos", field)(
        *({"action": "bandwidth", "bandwidth": {"rate": "1mbps", "limit": 1, "buffer": 1, field: value}}
          for value in (0, -1, "1")))
for field in ("peakrate", "minburst"):
    both("NetworkChaos", "bandwidth", [{"rate": "1mbps", "limit": 1, "buffer": 1, field: 0}],
         [{"rate": "1mbps", "limit": 1, "buffer": 1, field: -1}], field)
TARGET = {"target": TARGETS}
both("NetworkChaos", "direction", ["to"], ["up"], "direction")
good("NetworkChaos")({"direction": "from", **TARGET}, {"direction": "both", **TARGET}, TARGET,
                     {"externalTargets": ["10.0.0.0/8", "example.com", "1.2.3.4:80"]},
                     {"externalTargets": ["not an ip!"]},
                     {"action": "partition", "direction": "from", "externalTargets": ["10.0.0.1"]},
                     {"action": "partition", "direction": "both"}, {"device": "eth0"},
                     {"action": "netem", "delay": DROP})
bad("NetworkChaos", "external targets cannot be used with `from` and `both` direction")(
    {"direction": "from", "externalTargets": ["10.0.0.1"]}, {"direction": "both", "externalTargets": ["10.0.0.1"]},
    {"direction": "from", "externalTargets": ["10.0.0.1"], **TARGET})
bad("NetworkChaos", "`from` and `both` direction cannot be used when targets is empty")(
    {"direction": "from"}, {"direction": "both"}, {"direction": "both", "externalTargets": []})
bad("NetworkChaos", "Must be (0,100]")({"target": {"mode": "fixed-percent", "value": "101", "selector": {}}})
bad("NetworkChaos", "target")({"target": {"mode": "all"}}, {"target": {"selector": {}}})

# IOChaos
good("IOChaos")({"action": "fault", "errno": 5}, {"errno": 0}, {"delay": ""}, {"delay": DROP},
                {"action": "attrOverride", "attr": {"perm": 72}}, {"methods": ["read", "write"]}, {"path": "/data/**"},
                {"action": "mistake", "mistake": {"filling": "zero", "maxLength": 1, "maxOccurrences": 1}})
bad("IOChaos", "action fault: errno 0 is not supported")({"action": "fault"}, {"action": "fault", "errno": 0})
both("IOChaos", "percent", [0, 1, 100], [-1, 101], "percent field should be in 0-100")
both("IOChaos", "delay", ["1s", "-1s"], ["1", "soon"], DURATION)
both("IOChaos", "mistake.filling", ["zero", "random"], ["ones"], "filling")
good("IOChaos", defaulted=True)({"mistake.filling": ""})
both("IOChaos", "mistake.maxLength", [1], [0, -1], "maxLength")
both("IOChaos", "mistake.maxOccurrences", [1], [0, -1], "maxOccurrences")
for time in ("atime", "mtime", "ctime"):
    both("IOChaos", f"attr.{time}", [{"sec": 1, "nsec": 0}], [{"sec": 1}, {"nsec": 1}], time)

both("TimeChaos", "timeOffset", ["0", "5m", "-10m100ns", "1h"], ["", "5", "soon"], DURATION)
good("TimeChaos")({"clockIds": ["CLOCK_MONOTONIC"]}, {"clockIds": []})

# KernelChaos
both("KernelChaos", "failKernRequest.failtype", [0, 1, 2], [-1, 3, "slab"], "failtype")
both("KernelChaos", "failKernRequest.probability", [0, 100], [-1, 101], "probability")
both("KernelChaos", "failKernRequest.times", [0, 1000], [-1], "times")
good("KernelChaos")({"failKernRequest.callchain": [{"funcname": "__x64_sys_mount"}],
                     "failKernRequest.headers": ["linux/mmzone.h"]})

# SyscallChaos
both("SyscallChaos", "action", ["errno"], ["", "kill"], "action")
both("SyscallChaos", "errno", ["ENOSPC", 5, "5"], [1.5, ["EIO"]], "errno")
bad("SyscallChaos", "errno", code=True)({"errno": "ENOTHING"}, {"errno": 0}, {"errno": 4096})
both("SyscallChaos", "percent", [0, 100], [-1, 101], "percent")
both("SyscallChaos", "skip", [0, 1000], [-1], "skip")
both("SyscallChaos", "times", [0, 1000], [-1], "times")
both("SyscallChaos", "syscalls", [["read", "write"], ["%file"]], [[], "read"], "syscalls")
bad("SyscallChaos", "syscalls", code=True)({"syscalls": ["no_such_call"]}, {"syscalls": ["read", "read"]})
good("SyscallChaos")(*({"args": [{"index": 0, "op": op, "value": 3}]} for op in ("==", "!=", "<", ">", "&")),
                     {"args": [{"index": 5, "value": "0x10"}] * 4}, {"args": [{"index": 1, "value": -1, "width": 32}]})
bad("SyscallChaos", "args")({"args": [{"index": 6, "value": 1}]}, {"args": [{"index": -1, "value": 1}]},
                            {"args": [{"value": 1}]}, {"args": [{"index": 0}]}, {"args": [{"index": 0, "value": 1}] * 5},
                            {"args": [{"index": 0, "op": "~", "value": 1}]})

# StressChaos
both("StressChaos", "stressors.cpu.load", [0, 100], [-1, 101], "load")
both("StressChaos", "stressors.cpu.workers", [1, 0, -1, 8192], [8193], "workers")
both("StressChaos", "stressors", [{"memory": {"workers": 1, "size": "256MB"}}, {"memory": {"workers": 8192}}],
     [{}], "missing stressors")
both("StressChaos", "stressors.memory", [{"workers": 1, "oomScoreAdj": -1000}, {"workers": 1, "oomScoreAdj": 1000}],
     [{"workers": 1, "oomScoreAdj": -1001}, {"workers": 1, "oomScoreAdj": 1001}, {"size": "1MB"}], "memory")
good("StressChaos")({"stressors": DROP, "stressngStressors": "--cpu 1"})
bad("StressChaos", "missing stressors")({"stressors": DROP}, {"stressors": DROP, "stressngStressors": ""})

# HTTPChaos
both("HTTPChaos", "port", [1, 80, 65535, 65536], [0, -1, DROP], "port 0 is not supported")
both("HTTPChaos", "target", ["Request", "Response"], ["", "request"], "target")
both("HTTPChaos", "method", ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT"],
     ["get", "LIST"], "method")
good("HTTPChaos")({"target": "Response", "method": "LIST"}, {"delay": "1s"}, {"code": 404, "target": "Response"},
                  {"replace": {"body": "aGFsbG8=", "headers": {"a": "b"}, "queries": {"a": "b"}}},
                  {"patch": {"headers": [["a", "b"]], "body": {"type": "JSON", "value": "{}"}}})
both("HTTPChaos", "delay", ["10ms"], ["10"], DURATION)
bad("HTTPChaos", "tls")({"tls": {"secretName": "s"}})
bad("HTTPChaos", "body")({"patch": {"body": {"type": "JSON"}}})

# BlockChaos, DNSChaos
bad("BlockChaos", "delay should be set on delay action")({"delay": DROP})
both("BlockChaos", "delay.latency", ["1s"], ["1"], DURATION)
both("BlockChaos", "delay.correlation", ["50"], ["half"], "parse correlation field error")
good("DNSChaos")({"patterns": []}, {"patterns": DROP})

# JVMChaos
METHOD = {"class": "Main", "method": "say"}
good("JVMChaos")({"action": "latency", "latency": 100, **METHOD}, {"action": "return", "returnValue": "1", **METHOD},
                 {"action": "exception", "exception": "e", **METHOD}, {"action": "stress", "cpuCount": 1},
                 {"action": "stress", "memType": "heap"}, {"action": "stress", "memType": "stack"},
                 {"action": "ruleData", "ruleData": "RULE"},
                 {"action": "mysql", "mysqlConnectorVersion": "8", "latency": 1},
                 {"action": "mysql", "mysqlConnectorVersion": "5", "exception": "e"})
bad("JVMChaos", "class and method")({"action": "latency", "latency": 100}, {"action": "return", "returnValue": "1"},
                                    {"action": "exception", "exception": "e", "class": "Main"})
bad("JVMChaos", "latency")({"action": "latency", **METHOD}, {"action": "latency", "latency": 0, **METHOD})
bad("JVMChaos", "value not provided")({"action": "return", **METHOD})
bad("JVMChaos", "exception not provided")({"action": "exception", **METHOD})
bad("JVMChaos", "memType")({"action": "stress"}, {"action": "stress", "cpuCount": 1, "memType": "heap"},
                           {"action": "stress", "memType": "disk"})
bad("JVMChaos", "rule data not provided")({"action": "ruleData"})
bad("JVMChaos", "mysqlConnectorVersion")({"action": "mysql", "latency": 1},
                                         {"action": "mysql", "mysqlConnectorVersion": "7", "latency": 1})
bad("JVMChaos", "exception and latency")({"action": "mysql", "mysqlConnectorVersion": "8"})

# Clouds
good("AWSChaos")({"action": "detach-volume", "volumeID": "v", "deviceName": "d"})
bad("AWSChaos", "EBS volume")({"action": "detach-volume", "deviceName": "d"})
bad("AWSChaos", "device")({"action": "detach-volume", "volumeID": "v"})
good("AzureChaos")({"action": "disk-detach", "diskName": "d", "lun": 0})
bad("AzureChaos", "data disk")({"action": "disk-detach", "lun": 0}, {"action": "disk-detach", "diskName": "d"})
good("GCPChaos")({"action": "disk-loss", "deviceNames": ["d"]})
bad("GCPChaos", "device name")({"action": "disk-loss"}, {"action": "disk-loss", "deviceNames": []})

# Orchestration
good("Schedule")({"concurrencyPolicy": "Allow"}, {"concurrencyPolicy": "Forbid"}, {"historyLimit": 1},
                 {"startingDeadlineSeconds": 0}, {"startingDeadlineSeconds": None}, {"schedule": "*/5 * * * *"})
bad("Schedule", "concurrencyPolicy")({"concurrencyPolicy": ""}, {"concurrencyPolicy": "Replace"})
bad("Schedule", "historyLimit")({"historyLimit": 0})
bad("Schedule", "startingDeadlineSeconds")({"startingDeadlineSeconds": -1})
bad("Schedule", "parse schedule field error")({"schedule": ""})
bad("Schedule", "type")({"type": "Nothing"}, {"type": "IOChaos"}, {"podChaos": DROP})
bad("Schedule", "podChaos.action")({"podChaos.action": "x"})
good("Workflow")({"templates.0.deadline": "1h"})
bad("Workflow", "entry of workflow")({"entry": ""})
bad("Workflow", "templates")({"templates": []}, {"templates": [{"name": "a"}]}, {"templates": [{"templateType": "Serial"}]})
for field in ("timeoutSeconds", "intervalSeconds", "failureThreshold", "successThreshold"):
    both("StatusCheck", field, [1, 1000], [0, -1], field)
both("StatusCheck", "recordsHistoryLimit", [1, 1000], [0, 1001], "recordsHistoryLimit")
both("StatusCheck", "mode", ["Synchronous", "Continuous"], ["", "Sometimes"], "mode")
both("StatusCheck", "type", ["HTTP", DROP], ["TCP", ""], "type")
both("StatusCheck", "http.method", ["GET", "POST"], ["PUT", ""], "method")
both("StatusCheck", "http.criteria.statusCode", ["200", "200-299", "299-200"], ["", "2xx", "200-", "-1"],
     "invalid status code")
both("StatusCheck", "duration", ["", "10s"], ["10"], DURATION)
bad("StatusCheck", "http")({"http": DROP}, {"http.url": DROP}, {"http.criteria": DROP})
bad("RemoteCluster", "secretRef")({"kubeConfig": {}}, {"kubeConfig.secretRef.key": DROP})
