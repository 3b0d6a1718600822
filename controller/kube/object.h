// SPDX-License-Identifier: Apache-2.0
//
// Objects as the client hands them on, whatever their kind. Plain values.
#ifndef SABOT_CONTROLLER_KUBE_OBJECT_H_
#define SABOT_CONTROLLER_KUBE_OBJECT_H_

#include <string>
#include <vector>

namespace sabot::kube {

struct Object {
  // "namespace/name", or "name" where there are no namespaces.
  std::string key;
  // JSON with all fields as they came, or a message of proto/k8s/v1.proto with the fields that it declares.
  std::string bytes;
};

struct Page {
  std::vector<Object> objects;
  std::string resource_version;
  std::string continue_token;  // empty on the last page
};

struct WatchEvent {
  enum class Type { kAdded, kModified, kDeleted, kBookmark };
  Type type = Type::kBookmark;
  Object object;                    // of a bookmark without meaning
  std::string resource_version;     // of the object, or up to where the bookmark is
  bool initial_events_end = false;  // a bookmark: everything that was there has come
};

}  // namespace sabot::kube

#endif  // SABOT_CONTROLLER_KUBE_OBJECT_H_
