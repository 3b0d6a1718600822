// SPDX-License-Identifier: Apache-2.0
//
// The custom resources as tables: every field of every kind with its type, its bounds and its manual. The
// CRDs of helm/sabot/crds are made from them by `sabot-crds`, and a test holds the two together. Constant
// data.
#ifndef SABOT_CONTROLLER_CRD_SCHEMA_H_
#define SABOT_CONTROLLER_CRD_SCHEMA_H_

#include <string_view>

#include "absl/types/span.h"

namespace sabot::crd {

struct Field {
  // Within `spec` or `status`, with dots: "delay.latency". "[]" is each element of a list, "{}" each value of
  // a map: "callchain[].funcname". Parents come first.
  std::string_view path;
  // One of:
  //   string, integer, int32, int64, boolean, date-time, byte
  //   duration   a Go duration or "": "1h30m", "-2.5ms"
  //   offset     a Go duration, not ""
  //   float      what Go reads as a 32-bit float: upstream's percentages
  //   correlation  the same, or ""
  //   rate       "1mbit", "10 kbps"
  //   strings    a list of strings; lists: a list of such lists
  //   map, integers, lists-map    a map of strings, of integers, of lists of strings
  //   object, objects, objects-map    its fields follow: below "NAME", "NAME[]", "NAME{}"
  //   int-or-string
  //   any        whatever it is, it is kept
  //   selector   the object that says which pods; targets: `selector`, `mode` and `value` in place of the
  //   field
  //   @Kind      the `spec` of that kind, without its CEL rules
  std::string_view type;
  // Words with blanks between: required, nullable, enum=A|B, min=N, max=N, default=VALUE (a string unless the
  // type is a number), pattern=REGEX.
  std::string_view rules;
  std::string_view manual;
};

// A rule in CEL that holds even when no webhook answers. `path` as of fields; "": `spec` as a whole.
struct Rule {
  std::string_view path;
  std::string_view expression;
  std::string_view message;  // upstream's, where upstream has one
};

enum class Status {
  kExperiment,   // conditions and records, written with the whole object: no subresource
  kPlain,        // fields of its own, no subresource
  kSubresource,  // fields of its own, /status
  kNone,
};

struct Kind {
  std::string_view group;
  std::string_view name;
  std::string_view plural;
  std::string_view short_names;  // with blanks between
  bool namespaced = true;
  bool frozen = true;  // an update of `spec` is refused
  Status status = Status::kNone;
  std::string_view columns;  // fields of spec that `kubectl get` shows, with blanks between
  std::string_view manual;
  absl::Span<const Field> spec;
  absl::Span<const Rule> rules;
  absl::Span<const Field> more_status;
};

// In the order of the files' names. The tables live as long as the program.
absl::Span<const Kind> AllKinds();
// Null when there is none.
const Kind* FindKind(std::string_view name);

// One table per family, each in a file of its own.
extern const absl::Span<const Kind> kPodKinds;            // experiments on pods
extern const absl::Span<const Kind> kCloudKinds;          // experiments on machines of clouds
extern const absl::Span<const Kind> kMachineKinds;        // PhysicalMachineChaos, PhysicalMachine
extern const absl::Span<const Kind> kOrchestrationKinds;  // Schedule, Workflow, StatusCheck, RemoteCluster

// What all experiments have.
#define SABOT_CRD_COMMON_FIELDS                                                                  \
  {"remoteCluster", "string", "",                                                                \
   "Name of the RemoteCluster in which the experiment is carried out; empty: here."},            \
  {                                                                                              \
    "sabot", "any", "", "What goes beyond Chaos Mesh: mechanism, fidelity, maxTargets and more." \
  }

}  // namespace sabot::crd

#endif  // SABOT_CONTROLLER_CRD_SCHEMA_H_
