// SPDX-License-Identifier: Apache-2.0
//
// The objects of a watch by key, and by what indexers say of them. Not thread-safe.
#ifndef SABOT_CONTROLLER_KUBE_STORE_H_
#define SABOT_CONTROLLER_KUBE_STORE_H_

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/container/node_hash_map.h"
#include "controller/kube/object.h"

namespace sabot::kube {

// The values under which an object is found: the name of its node, its labels.
using Indexer = std::function<std::vector<std::string>(const Object& object)>;

class Store {
 public:
  enum class Change { kNone, kAdded, kModified, kDeleted };

  explicit Store(std::map<std::string, Indexer> indexers);

  // kNone when the same bytes are there already.
  Change Put(Object object);
  Change Remove(const std::string& key);

  // Null when there is none. Valid until the next Put or Remove.
  const std::string* Find(const std::string& key) const;
  // The keys under `value` of an index, in order. An index that does not exist has none.
  std::vector<std::string> Keys(const std::string& index, const std::string& value) const;
  std::vector<std::string> Keys() const;
  size_t size() const { return objects_.size(); }

 private:
  // Keys are those of objects_, which keeps them where they are.
  using Bucket = absl::flat_hash_set<const std::string*>;
  struct Index {
    Indexer indexer;
    absl::flat_hash_map<std::string, Bucket> buckets;
  };

  void Enter(const std::string& key, const std::string& bytes);
  void Leave(const std::string& key, const std::string& bytes);

  absl::node_hash_map<std::string, std::string> objects_;
  std::map<std::string, Index> indexes_;
};

}  // namespace sabot::kube

#endif  // SABOT_CONTROLLER_KUBE_STORE_H_
