// SPDX-License-Identifier: Apache-2.0
#include "controller/crd/schema.h"

namespace sabot::crd {
namespace {

constexpr std::string_view kChaosMesh = "chaos-mesh.org";

// The specs of all experiments, each in a field of upstream's name.
#define EMBEDDED(prefix)                                                                               \
  {prefix "awsChaos", "@AWSChaos", "", "Spec of an AWSChaos."},                                        \
      {prefix "azureChaos", "@AzureChaos", "", "Spec of an AzureChaos."},                              \
      {prefix "blockChaos", "@BlockChaos", "", "Spec of a BlockChaos."},                               \
      {prefix "dnsChaos", "@DNSChaos", "", "Spec of a DNSChaos."},                                     \
      {prefix "gcpChaos", "@GCPChaos", "", "Spec of a GCPChaos."},                                     \
      {prefix "httpChaos", "@HTTPChaos", "", "Spec of an HTTPChaos."},                                 \
      {prefix "ioChaos", "@IOChaos", "", "Spec of an IOChaos."},                                       \
      {prefix "jvmChaos", "@JVMChaos", "", "Spec of a JVMChaos."},                                     \
      {prefix "kernelChaos", "@KernelChaos", "", "Spec of a KernelChaos."},                            \
      {prefix "networkChaos", "@NetworkChaos", "", "Spec of a NetworkChaos."},                         \
      {prefix "physicalmachineChaos", "@PhysicalMachineChaos", "", "Spec of a PhysicalMachineChaos."}, \
      {prefix "podChaos", "@PodChaos", "", "Spec of a PodChaos."},                                     \
      {prefix "stressChaos", "@StressChaos", "", "Spec of a StressChaos."}, {                          \
    prefix "timeChaos", "@TimeChaos", "", "Spec of a TimeChaos."                                       \
  }

#define SCHEDULE(prefix)                                                                                \
  {prefix "concurrencyPolicy", "string", "enum=Forbid|Allow default=Forbid",                            \
   "Whether a run may begin while another is going on."},                                               \
      {prefix "historyLimit", "integer", "min=1", "Finished runs that are kept."},                      \
      {prefix "schedule", "string", "required", "When: five or six fields as of cron, or @every 10m."}, \
      {prefix "startingDeadlineSeconds", "int64", "nullable min=0",                                     \
       "How late a run may begin; null: any time."},                                                    \
  {                                                                                                     \
    prefix "type", "string", "required", "Kind of the runs: one of the experiments or Workflow."        \
  }

// Steps as a Workflow and the nodes made from it have them.
#define STEP(prefix)                                                                                         \
  {prefix "abortWithStatusCheck", "boolean", "", "A failed check ends the workflow (StatusCheck)."},         \
      {prefix "children", "strings", "", "Names of other templates (Serial, Parallel)."},                    \
      {prefix "conditionalBranches", "objects", "", "What follows a Task."},                                 \
      {prefix "conditionalBranches[].expression", "string", "", "Over exitCode and stdout; empty: always."}, \
  {                                                                                                          \
    prefix "conditionalBranches[].target", "string", "required", "Name of a template."                       \
  }

#define STATUS_CHECK(prefix)                                                                             \
  {prefix "duration", "duration", "", "How long; empty: until a threshold."},                            \
      {prefix "failureThreshold", "integer", "default=3 min=1", "Failures in a row that make it fail."}, \
      {prefix "http", "object", "", "A request."},                                                       \
      {prefix "http.body", "string", "", "Body of the request."},                                        \
      {prefix "http.criteria", "object", "required", "What counts as success."},                         \
      {prefix "http.criteria.statusCode", "string", "required", "A code, or a range such as 200-299."},  \
      {prefix "http.headers", "lists-map", "", "Headers of the request."},                               \
      {prefix "http.method", "string", "enum=GET|POST default=GET", "Method of the request."},           \
      {prefix "http.url", "string", "required", "Where to."},                                            \
      {prefix "intervalSeconds", "integer", "default=10 min=1", "Between two requests."},                \
      {prefix "mode", "string", "enum=Synchronous|Continuous",                                           \
       "Until the result is known, or all the time."},                                                   \
      {prefix "recordsHistoryLimit", "integer", "default=100 min=1 max=1000", "Results that are kept."}, \
      {prefix "successThreshold", "integer", "default=1 min=1", "Successes in a row (Synchronous)."},    \
      {prefix "timeoutSeconds", "integer", "default=1 min=1", "Of a request."}, {                        \
    prefix "type", "string", "required enum=HTTP default=HTTP", "How it is checked."                     \
  }

#define CONDITIONS(extra)                                                                            \
  {"conditions", "objects", "", "What is the case."}, {"conditions[].reason", "string", "", "Why."}, \
      {"conditions[].status", "string", "required", "True, False or Unknown."}, {                    \
    "conditions[].type", "string", "required", extra                                                 \
  }

constexpr Field kSchedule[] = {
    SCHEDULE(""),
    EMBEDDED(""),
    {"workflow", "object", "", "Spec of a Workflow; its templates are looked at when it is made."},
    {"workflow.entry", "string", "required", "Name of the template to begin with."},
    {"workflow.templates", "any", "required", "See Workflow."},
};
constexpr Rule kScheduleRules[] = {
    {"", "self.schedule != ''", "parse schedule field error: empty spec string"},
    {"",
     "self.type in ['AWSChaos', 'AzureChaos', 'BlockChaos', 'DNSChaos', 'GCPChaos', 'HTTPChaos', 'IOChaos', "
     "'JVMChaos', 'KernelChaos', 'NetworkChaos', 'PhysicalMachineChaos', 'PodChaos', 'StressChaos', "
     "'TimeChaos', "
     "'Workflow']",
     "type must be a kind of experiment or Workflow"},
    {"",
     "(self.type != 'AWSChaos' || has(self.awsChaos)) && (self.type != 'AzureChaos' || has(self.azureChaos)) "
     "&& "
     "(self.type != 'BlockChaos' || has(self.blockChaos)) && (self.type != 'DNSChaos' || has(self.dnsChaos)) "
     "&& "
     "(self.type != 'GCPChaos' || has(self.gcpChaos)) && (self.type != 'HTTPChaos' || has(self.httpChaos)) "
     "&& "
     "(self.type != 'IOChaos' || has(self.ioChaos)) && (self.type != 'JVMChaos' || has(self.jvmChaos)) && "
     "(self.type != 'KernelChaos' || has(self.kernelChaos)) && (self.type != 'NetworkChaos' || "
     "has(self.networkChaos)) && (self.type != 'PhysicalMachineChaos' || has(self.physicalmachineChaos)) && "
     "(self.type != 'PodChaos' || has(self.podChaos)) && (self.type != 'StressChaos' || "
     "has(self.stressChaos)) && "
     "(self.type != 'TimeChaos' || has(self.timeChaos)) && (self.type != 'Workflow' || has(self.workflow))",
     "the field of the type is missing"},
};
constexpr Field kScheduleStatus[] = {
    {"active", "objects", "nullable", "Runs that go on."},
    {"active[].apiVersion", "string", "", "Of the run."},
    {"active[].fieldPath", "string", "", "Not used."},
    {"active[].kind", "string", "", "Of the run."},
    {"active[].name", "string", "", "Of the run."},
    {"active[].namespace", "string", "", "Of the run."},
    {"active[].resourceVersion", "string", "", "Of the run."},
    {"active[].uid", "string", "", "Of the run."},
    {"time", "date-time", "nullable", "When the last run was due."},
};

constexpr Field kWorkflow[] = {
    {"entry", "string", "required", "Name of the template to begin with."},
    {"templates", "objects", "required", "The steps."},
    {"templates[].deadline", "string", "", "How long the step may take."},
    EMBEDDED("templates[]."),
    {"templates[].name", "string", "required", "By which others refer to it; unique."},
    {"templates[].schedule", "object", "", "A Schedule of an experiment."},
    SCHEDULE("templates[].schedule."),
    EMBEDDED("templates[].schedule."),
    {"templates[].statusCheck", "object", "", "A check of something outside."},
    STATUS_CHECK("templates[].statusCheck."),
    {"templates[].task", "any", "", "A pod: container, volumes, labels."},
    {"templates[].templateType", "string", "required",
     "Task, Serial, Parallel, Suspend, StatusCheck, Schedule or a kind of experiment."},
    STEP("templates[]."),
};
constexpr Rule kWorkflowRules[] = {
    {"", "self.entry != ''", "the entry of workflow is required"},
    {"", "size(self.templates) > 0", "the templates in workflow could not be empty"},
};
constexpr Field kWorkflowStatus[] = {
    CONDITIONS("Accomplished or Scheduled."),
    {"endTime", "date-time", "", "When it ended."},
    {"entryNode", "string", "", "Name of the first WorkflowNode."},
    {"startTime", "date-time", "", "When it began."},
};

constexpr Field kWorkflowNode[] = {
    {"deadline", "date-time", "", "When it must have ended."},
    EMBEDDED(""),
    {"schedule", "object", "", "A Schedule of an experiment."},
    SCHEDULE("schedule."),
    EMBEDDED("schedule."),
    {"startTime", "date-time", "required", "When it began."},
    {"statusCheck", "object", "", "A check of something outside."},
    STATUS_CHECK("statusCheck."),
    {"task", "any", "", "A pod: container, volumes, labels."},
    {"templateName", "string", "required", "From which it was made."},
    {"type", "string", "required", "Type of the template."},
    {"workflowName", "string", "required", "To which it belongs."},
    STEP(""),
};
constexpr Field kWorkflowNodeStatus[] = {
    {"activeChildren", "any", "", "References to the WorkflowNodes that are going on."},
    {"chaosResource", "object", "", "What it has made."},
    {"chaosResource.apiGroup", "string", "nullable", "Of what it has made."},
    {"chaosResource.kind", "string", "required", "Of what it has made."},
    {"chaosResource.name", "string", "required", "Of what it has made."},
    {"conditionalBranchesStatus", "object", "", "What the expressions of a Task gave."},
    {"conditionalBranchesStatus.branches", "objects", "", "One per branch."},
    {"conditionalBranchesStatus.branches[].evaluationResult", "string", "required",
     "True, False or Unknown."},
    {"conditionalBranchesStatus.branches[].target", "string", "required", "Name of the template."},
    {"conditionalBranchesStatus.context", "strings", "", "What they were evaluated over."},
    CONDITIONS("Accomplished, DeadlineExceed, ChaosInjected or Aborted."),
    {"finishedChildren", "any", "", "References to the WorkflowNodes that have ended."},
};

constexpr Field kStatusCheck[] = {STATUS_CHECK("")};
constexpr Rule kStatusCheckRules[] = {
    {"", "has(self.http)", "the detail of http status check is required"},
    {"http.criteria", "self.statusCode.matches('^[0-9]{1,64}(-[0-9]{1,64})?$')", "invalid status code"},
};
constexpr Field kStatusCheckStatus[] = {
    {"completionTime", "date-time", "", "When it ended."},
    {"conditions", "objects", "", "What is the case."},
    {"conditions[].lastProbeTime", "date-time", "", "When it was looked at last."},
    {"conditions[].lastTransitionTime", "date-time", "", "Since when."},
    {"conditions[].reason", "string", "", "Why."},
    {"conditions[].status", "string", "required", "True, False or Unknown."},
    {"conditions[].type", "string", "required",
     "Completed, DurationExceed, FailureThresholdExceed or SuccessThresholdExceed."},
    {"count", "int64", "", "Requests so far."},
    {"records", "objects", "", "The last results."},
    {"records[].outcome", "string", "required", "Success or Failure."},
    {"records[].startTime", "date-time", "required", "When it was asked."},
    {"startTime", "date-time", "", "When it began."},
};

constexpr Field kRemoteCluster[] = {
    {"configOverride", "any", "", "Values of the chart."},
    {"kubeConfig", "object", "required", "How the cluster is reached."},
    {"kubeConfig.secretRef", "object", "required", "Where the kubeconfig lies."},
    {"kubeConfig.secretRef.key", "string", "required", "Key within the Secret."},
    {"kubeConfig.secretRef.name", "string", "required", "Name of the Secret."},
    {"kubeConfig.secretRef.namespace", "string", "required", "Namespace of the Secret."},
    {"namespace", "string", "required", "Where it is installed there."},
    {"version", "string", "required", "Which version."},
};
constexpr Field kRemoteClusterStatus[] = {
    CONDITIONS("Installed or Ready."),
    {"currentVersion", "string", "required", "Which version is there."},
    {"observedGeneration", "int64", "", "Of the spec that was carried out."},
};

constexpr Kind kTable[] = {
    {kChaosMesh, "Schedule", "schedules", "", true, false, Status::kPlain, "",
     "Makes experiments or workflows at certain times.", kSchedule, kScheduleRules, kScheduleStatus},
    {kChaosMesh, "Workflow", "workflows", "wf", true, false, Status::kSubresource, "",
     "Experiments, checks and tasks one after the other or side by side.", kWorkflow, kWorkflowRules,
     kWorkflowStatus},
    {kChaosMesh,
     "WorkflowNode",
     "workflownodes",
     "wfn",
     true,
     false,
     Status::kSubresource,
     "",
     "A step of a workflow that has begun.",
     kWorkflowNode,
     {},
     kWorkflowNodeStatus},
    {kChaosMesh, "StatusCheck", "statuschecks", "", true, true, Status::kSubresource, "",
     "Asks something again and again whether it is well.", kStatusCheck, kStatusCheckRules,
     kStatusCheckStatus},
    {kChaosMesh,
     "RemoteCluster",
     "remoteclusters",
     "",
     false,
     true,
     Status::kSubresource,
     "",
     "Another cluster in which experiments are carried out.",
     kRemoteCluster,
     {},
     kRemoteClusterStatus},
};

}  // namespace

const absl::Span<const Kind> kOrchestrationKinds = kTable;

}  // namespace sabot::crd
