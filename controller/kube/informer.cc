// SPDX-License-Identifier: Apache-2.0
#include "controller/kube/informer.h"

#include <utility>

#include "loader/status.h"

namespace sabot::kube {

Informer::Informer(Client& client, InformerOptions options)
    : client_(client),
      options_(std::move(options)),
      store_(options_.indexers),
      backoff_(absl::Milliseconds(100), options_.longest_wait),
      thread_([this] { Run(); }) {}

Informer::~Informer() {
  stopping_ = true;
  stop_.Notify();
  client_.Wake();
  thread_.join();
}

bool Informer::WaitForSync(absl::Duration timeout) { return synced_.WaitForNotificationWithTimeout(timeout); }

std::optional<std::string> Informer::Find(const std::string& key) const {
  absl::MutexLock lock(&mutex_);
  const std::string* bytes = store_.Find(key);
  return bytes == nullptr ? std::nullopt : std::optional<std::string>(*bytes);
}

std::vector<std::string> Informer::Keys() const {
  absl::MutexLock lock(&mutex_);
  return store_.Keys();
}

std::vector<std::string> Informer::Keys(const std::string& index, const std::string& value) const {
  absl::MutexLock lock(&mutex_);
  return store_.Keys(index, value);
}

size_t Informer::size() const {
  absl::MutexLock lock(&mutex_);
  return store_.size();
}

InformerStats Informer::stats() const {
  absl::MutexLock lock(&mutex_);
  return stats_;
}

void Informer::Pause(absl::Duration wait) { stop_.WaitForNotificationWithTimeout(wait); }

void Informer::Run() {
  while (!stopping_) {
    const absl::Status status = Follow();
    if (stopping_) return;
    {
      absl::MutexLock lock(&mutex_);
      stats_.last_error = status;
    }
    // Many clients lose their place at the same moment: nobody comes back at once.
    Pause(backoff_.Next());
  }
}

absl::Status Informer::Follow() {
  if (options_.watch_list && !watch_list_refused_) {
    const absl::Status status = FollowWatchList();
    // A server that knows nothing of it takes it for a bad request.
    if (!absl::IsInvalidArgument(status) || !listing_) return status;
    watch_list_refused_ = true;
  }
  SABOT_RETURN_IF_ERROR(ListAll());
  return WatchOn(false);
}

absl::Status Informer::FollowWatchList() {
  listing_ = true;
  seen_.clear();
  resource_version_.clear();
  return WatchOn(true);
}

absl::Status Informer::ListAll() {
  listing_ = true;
  seen_.clear();
  ListQuery query;
  query.label_selector = options_.label_selector;
  query.field_selector = options_.field_selector;
  query.limit = options_.page_size;
  do {
    SABOT_ASSIGN_OR_RETURN(Page page, client_.List(options_.resource, options_.codec, query));
    if (stopping_) return absl::CancelledError("stopping");
    {
      absl::MutexLock lock(&mutex_);
      ++stats_.pages;
    }
    for (Object& object : page.objects) Put(std::move(object));
    query.continue_token = page.continue_token;
    resource_version_ = page.resource_version;
  } while (!query.continue_token.empty());
  Sweep();
  return absl::OkStatus();
}

absl::Status Informer::WatchOn(bool initial_events) {
  while (!stopping_) {
    WatchQuery query;
    query.label_selector = options_.label_selector;
    query.field_selector = options_.field_selector;
    query.resource_version = resource_version_;
    query.send_initial_events = initial_events && listing_;
    {
      absl::MutexLock lock(&mutex_);
      ++stats_.watches;
    }
    const absl::Status status = client_.Watch(options_.resource, options_.codec, query, &stopping_,
                                              [this](WatchEvent event) { return Handle(std::move(event)); });
    // Within the first objects there is no place to go on from.
    if (listing_)
      return status.ok() ? absl::UnavailableError("a watch ended before its first objects") : status;
    if (!status.ok()) {
      // Where the watch was, nobody knows any more; or what came made no sense.
      if (absl::IsOutOfRange(status) || absl::IsDataLoss(status)) return status;
      {
        absl::MutexLock lock(&mutex_);
        stats_.last_error = status;
      }
      if (!stopping_) Pause(backoff_.Next());
    }
  }
  return absl::OkStatus();
}

absl::Status Informer::Handle(WatchEvent event) {
  if (stopping_) return absl::CancelledError("stopping");
  if (!event.resource_version.empty()) resource_version_ = event.resource_version;
  switch (event.type) {
    case WatchEvent::Type::kAdded:
    case WatchEvent::Type::kModified:
      Put(std::move(event.object));
      break;
    case WatchEvent::Type::kDeleted:
      Remove(event.object.key);
      break;
    case WatchEvent::Type::kBookmark:
      if (listing_ && event.initial_events_end) Sweep();
      break;
  }
  if (!listing_) backoff_.Reset();
  return absl::OkStatus();
}

void Informer::Put(Object object) {
  if (listing_) seen_.insert(object.key);
  const Object copy = options_.on_change ? object : Object();
  Store::Change change = Store::Change::kNone;
  {
    absl::MutexLock lock(&mutex_);
    change = store_.Put(std::move(object));
  }
  if (change != Store::Change::kNone && options_.on_change) options_.on_change(change, copy);
}

void Informer::Remove(const std::string& key) {
  // A list that is read as events may take back what it has said.
  if (listing_) seen_.erase(key);
  Object gone;
  {
    absl::MutexLock lock(&mutex_);
    const std::string* bytes = store_.Find(key);
    if (bytes == nullptr) return;
    gone = {key, *bytes};
    store_.Remove(key);
  }
  if (options_.on_change) options_.on_change(Store::Change::kDeleted, gone);
}

void Informer::Sweep() {
  listing_ = false;
  std::vector<std::string> keys = Keys();
  for (const std::string& key : keys) {
    if (!seen_.contains(key)) Remove(key);
  }
  seen_ = {};
  {
    absl::MutexLock lock(&mutex_);
    ++stats_.lists;
  }
  backoff_.Reset();
  if (!synced_.HasBeenNotified()) synced_.Notify();
}

}  // namespace sabot::kube
