// SPDX-License-Identifier: Apache-2.0
//
// Events (core v1) about objects: what `kubectl describe` shows.
#ifndef SABOT_CONTROLLER_KUBE_EVENTS_H_
#define SABOT_CONTROLLER_KUBE_EVENTS_H_

#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "controller/kube/client.h"

namespace sabot::kube {

// The object that an event is about.
struct ObjectReference {
  std::string api_version;
  std::string kind;
  std::string ns;  // empty: an object without; its events are in "default"
  std::string name;
  std::string uid;
};

struct Event {
  bool warning = false;   // type Warning instead of Normal
  std::string reason;     // "Applied"
  std::string message;    // cut at 1024 bytes, which is as much as the API admits
  std::string component;  // who says so
  std::map<std::string, std::string> annotations;
};

// Thread-safe. The same event about the same object is written once and counted up afterwards; the oldest of
// those remembered are forgotten, so that memory is bounded.
class EventRecorder {
 public:
  static constexpr size_t kMostRemembered = 4096;

  // `client` must outlive it. After `fresh` the same event is a new one.
  explicit EventRecorder(Client& client, absl::Duration fresh = absl::Minutes(10))
      : client_(client), fresh_(fresh) {}

  // Blocks for one call of the API. An error says why it was not written; nothing is repeated later.
  absl::Status Record(const ObjectReference& about, const Event& event);

 private:
  struct Written {
    std::string name;  // of the Event object
    int64_t count = 0;
    absl::Time last;
  };

  absl::Status Create(const ObjectReference& about, const Event& event, const std::string& key);
  absl::Status CountUp(const std::string& ns, const std::string& key, Written written);
  void Remember(const std::string& key, Written written);

  Client& client_;
  const absl::Duration fresh_;
  absl::Mutex mutex_;
  absl::flat_hash_map<std::string, Written> written_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sabot::kube

#endif  // SABOT_CONTROLLER_KUBE_EVENTS_H_
