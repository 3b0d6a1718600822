// SPDX-License-Identifier: Apache-2.0
#include "controller/kube/store.h"

#include <algorithm>
#include <utility>

namespace sabot::kube {

Store::Store(std::map<std::string, Indexer> indexers) {
  for (auto& [name, indexer] : indexers) indexes_[name].indexer = std::move(indexer);
}

Store::Change Store::Put(Object object) {
  const auto [found, added] = objects_.try_emplace(std::move(object.key));
  std::string& bytes = found->second;
  if (!added) {
    if (bytes == object.bytes) return Change::kNone;
    Leave(found->first, bytes);
  }
  bytes = std::move(object.bytes);
  bytes.shrink_to_fit();
  Enter(found->first, bytes);
  return added ? Change::kAdded : Change::kModified;
}

Store::Change Store::Remove(const std::string& key) {
  const auto found = objects_.find(key);
  if (found == objects_.end()) return Change::kNone;
  Leave(found->first, found->second);
  objects_.erase(found);
  return Change::kDeleted;
}

const std::string* Store::Find(const std::string& key) const {
  const auto found = objects_.find(key);
  return found == objects_.end() ? nullptr : &found->second;
}

std::vector<std::string> Store::Keys(const std::string& index, const std::string& value) const {
  std::vector<std::string> keys;
  const auto found = indexes_.find(index);
  if (found == indexes_.end()) return keys;
  const auto bucket = found->second.buckets.find(value);
  if (bucket == found->second.buckets.end()) return keys;
  for (const std::string* key : bucket->second) keys.push_back(*key);
  std::sort(keys.begin(), keys.end());
  return keys;
}

std::vector<std::string> Store::Keys() const {
  std::vector<std::string> keys;
  keys.reserve(objects_.size());
  for (const auto& [key, bytes] : objects_) keys.push_back(key);
  std::sort(keys.begin(), keys.end());
  return keys;
}

void Store::Enter(const std::string& key, const std::string& bytes) {
  for (auto& [name, index] : indexes_) {
    for (std::string& value : index.indexer({key, bytes})) index.buckets[std::move(value)].insert(&key);
  }
}

void Store::Leave(const std::string& key, const std::string& bytes) {
  for (auto& [name, index] : indexes_) {
    for (const std::string& value : index.indexer({key, bytes})) {
      const auto bucket = index.buckets.find(value);
      if (bucket == index.buckets.end()) continue;
      bucket->second.erase(&key);
      if (bucket->second.empty()) index.buckets.erase(bucket);
    }
  }
}

}  // namespace sabot::kube
