// SPDX-License-Identifier: Apache-2.0
//
// metadata of a custom resource, as far as anything here looks at it.
#ifndef SABOT_CONTROLLER_API_METADATA_H_
#define SABOT_CONTROLLER_API_METADATA_H_

#include <map>
#include <string>

namespace sabot::api {

using StringMap = std::map<std::string, std::string>;

struct ObjectMeta {
  // A DNS subdomain of 1 to 253 bytes. An object that has only `generateName` gets a name made from that, the
  // file's name and the object's place in it: the same file always gives the same name.
  std::string name;
  std::string ns;   // `namespace`; a DNS label; "default" when absent
  std::string uid;  // empty when the object was not created in a cluster
  StringMap labels;
  StringMap annotations;

  // The uid, or "<namespace>/<name>" when there is none.
  std::string Uid() const { return uid.empty() ? ns + "/" + name : uid; }
};

}  // namespace sabot::api

#endif  // SABOT_CONTROLLER_API_METADATA_H_
