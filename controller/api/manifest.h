// SPDX-License-Identifier: Apache-2.0
//
// Files of custom resources → experiments: parse, default, validate.
#ifndef SABOT_CONTROLLER_API_MANIFEST_H_
#define SABOT_CONTROLLER_API_MANIFEST_H_

#include <string>
#include <string_view>
#include <vector>

#include "controller/api/experiment.h"
#include "controller/api/problem.h"

namespace sabot::api {

struct Manifests {
  // The objects without an error, in the order of the file.
  std::vector<Experiment> experiments;
  // Everything that is wrong in the file, by line; at most about 1000. Warnings may stand here for
  // experiments that are in the list.
  std::vector<Problem> problems;

  bool ok() const { return !HasErrors(problems); }
};

// Reads YAML (or JSON): one or more documents, each an experiment or a `kind: List` of them. `file` is only
// for messages. Pure; never throws; content that is not text, too large (8 MiB), too deep or expands to too
// much is one error. Unknown fields are errors. `status` and metadata that a cluster adds are accepted and
// ignored.
Manifests ParseManifests(std::string_view content, std::string_view file);

// Reads `path` ("-": standard input) and parses it. An unreadable or too large file is a problem like any
// other; of a file that is too large no more than the limit is read.
Manifests LoadManifests(const std::string& path);

}  // namespace sabot::api

#endif  // SABOT_CONTROLLER_API_MANIFEST_H_
