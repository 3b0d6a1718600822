// SPDX-License-Identifier: Apache-2.0
//
// Where the fields of an object stand in its file, so that what is found out later (by the planner) can still
// name a line. A plain value.
#ifndef SABOT_CONTROLLER_API_SOURCE_H_
#define SABOT_CONTROLLER_API_SOURCE_H_

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "controller/api/problem.h"

namespace sabot::api {

struct Source {
  std::string file;    // as the caller named it; empty: the object came from no file
  std::string prefix;  // path of the object in its document with a dot at the end, "items[2]."; mostly empty
  Position start;      // of the object
  std::map<std::string, Position, std::less<>> fields;  // by path within the object: "spec.delay.latency"

  // The place of `field`, or of the nearest field around it that is in the file, or of the object.
  Position Find(std::string_view field) const;

  // A problem of `field` (a path within the object; empty: of the object as a whole).
  Problem MakeProblem(Severity severity, std::string_view field, std::string_view message) const;
};

}  // namespace sabot::api

#endif  // SABOT_CONTROLLER_API_SOURCE_H_
