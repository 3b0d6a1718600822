// SPDX-License-Identifier: Apache-2.0
//
// All objects of a resource, kept as they are in the cluster: listed once, watched from then on, listed again
// when the server has forgotten where the watch was.
#ifndef SABOT_CONTROLLER_KUBE_INFORMER_H_
#define SABOT_CONTROLLER_KUBE_INFORMER_H_

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "controller/kube/backoff.h"
#include "controller/kube/client.h"
#include "controller/kube/store.h"

namespace sabot::kube {

struct InformerOptions {
  Resource resource;
  Codec codec = Codec::Json();
  std::string label_selector;
  std::string field_selector;
  std::map<std::string, Indexer> indexers;
  int page_size = 500;
  // Asks for the first objects as part of the watch, which costs the server least; where it refuses, pages
  // are listed.
  bool watch_list = true;
  // The longest wait between tries while the server is not to be had.
  absl::Duration longest_wait = absl::Seconds(30);
  // Every change, one at a time, after it has been made; of what was deleted the last known bytes. After a
  // gap in the watch, what has changed meanwhile comes once, deletions too. Runs on threads of the client: it
  // must not block and must not call the client. It may call the informer.
  std::function<void(Store::Change change, const Object& object)> on_change;
};

struct InformerStats {
  int64_t lists = 0;    // complete first or repeated readings
  int64_t pages = 0;    // read for them; none where the server has WatchList
  int64_t watches = 0;  // begun
  absl::Status last_error;
};

// Thread-safe.
class Informer {
 public:
  // `client` must outlive it.
  Informer(Client& client, InformerOptions options);
  // Ends the watch; no callback runs any more.
  ~Informer();
  Informer(const Informer&) = delete;
  Informer& operator=(const Informer&) = delete;

  // Whether everything that was there at the beginning has come within `timeout`.
  bool WaitForSync(absl::Duration timeout);

  std::optional<std::string> Find(const std::string& key) const;
  std::vector<std::string> Keys() const;
  std::vector<std::string> Keys(const std::string& index, const std::string& value) const;
  size_t size() const;
  InformerStats stats() const;

 private:
  void Run();
  // One list and the watches after it; returns when the list must be repeated.
  absl::Status Follow();
  absl::Status FollowWatchList();
  absl::Status ListAll();
  // Watches from resource_version_ on, again and again.
  absl::Status WatchOn(bool initial_events);
  absl::Status Handle(WatchEvent event);
  void Put(Object object);
  void Remove(const std::string& key);
  // What was not seen since the list began is gone.
  void Sweep();
  void Pause(absl::Duration wait);

  Client& client_;
  const InformerOptions options_;
  mutable absl::Mutex mutex_;
  Store store_ ABSL_GUARDED_BY(mutex_);
  InformerStats stats_ ABSL_GUARDED_BY(mutex_);
  // Of the one that follows: used by thread_, or by the client's thread while thread_ waits for it.
  std::string resource_version_;
  bool listing_ = false;
  absl::flat_hash_set<std::string> seen_;
  bool watch_list_refused_ = false;
  Backoff backoff_;

  absl::Notification synced_;
  std::atomic<bool> stopping_ = false;
  absl::Notification stop_;
  std::thread thread_;
};

}  // namespace sabot::kube

#endif  // SABOT_CONTROLLER_KUBE_INFORMER_H_
