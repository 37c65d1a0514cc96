#include "engine/cache/kind.h"

#include <fmt/format.h>

namespace ph::cache {
namespace {

Status tooOld(int64_t revision) {
  return Status::expired(fmt::format("The resourceVersion {} is too old; list again", revision));
}

}  // namespace

Kind::Kind(std::string prefix, int64_t floor, std::atomic<int64_t>& revision,
           std::shared_ptr<Executor> executor)
    : prefix_(std::move(prefix)),
      revision_(revision),
      executor_(std::move(executor)),
      hub_(std::make_shared<WatchHub>(executor_)),
      ring_(floor),
      newest_(floor) {}

ObjectPtr Kind::get(const std::string& key) const {
  std::lock_guard lock(mutex_);
  return objects_.get(key);
}

KindSnapshot Kind::snapshot() const {
  std::lock_guard lock(mutex_);
  return {objects_, revision_.load(std::memory_order_acquire)};
}

// The pages of one list come from one snapshot. It is rebuilt from the newest by taking back the events
// since, when its first continuation is asked for, and kept for the next ones.
Result<KindSnapshot> Kind::snapshotAt(int64_t revision) {
  KindSnapshot snapshot;
  std::vector<EventPtr> since;
  {
    std::lock_guard lock(mutex_);
    if (auto it = kept_.find(revision); it != kept_.end()) {
      it->second.used = executor_->monoNow();
      return it->second.snapshot;
    }
    if (revision > revision_.load(std::memory_order_acquire) || revision < ring_.floor())
      return tooOld(revision);
    snapshot = {objects_, revision};
    since = ring_.after(revision);
  }
  for (auto it = since.rbegin(); it != since.rend(); ++it) {
    const Event& event = **it;
    if (event.old)
      snapshot.objects.assign(event.object->key(), event.old);
    else
      snapshot.objects.erase(event.object->key());
  }
  keep(snapshot);
  return snapshot;
}

void Kind::keep(const KindSnapshot& snapshot) {
  Kept dropped;  // freed outside the lock
  std::lock_guard lock(mutex_);
  kept_[snapshot.revision] = {snapshot, executor_->monoNow()};
  if (kept_.size() <= kMaxKept) return;
  auto oldest = kept_.begin();
  for (auto it = kept_.begin(); it != kept_.end(); ++it)
    if (it->second.used < oldest->second.used) oldest = it;
  dropped = std::move(oldest->second);
  kept_.erase(oldest);
}

void Kind::restore(ObjectPtr object) {
  std::lock_guard lock(mutex_);
  std::string key = object->key();
  objects_.assign(std::move(key), std::move(object));
}

ObjectPtr Kind::put(const std::string& key, const ObjectPtr& object, int64_t revision) {
  ObjectPtr stored = object->at(revision);
  std::unique_lock lock(mutex_);
  auto old = objects_.assign(key, stored);
  auto event = std::make_shared<const Event>(
      Event{old ? EventType::Modified : EventType::Added, revision, stored, old ? std::move(*old) : nullptr});
  ring_.append(*event, executor_->monoNow());
  newest_.store(revision, std::memory_order_release);
  revision_.store(revision, std::memory_order_release);
  lock.unlock();
  hub_->publish(event);
  return stored;
}

ObjectPtr Kind::remove(const std::string& key, const ObjectPtr& last, int64_t revision) {
  ObjectPtr final = last->at(revision);
  std::unique_lock lock(mutex_);
  auto old = objects_.erase(key);
  auto event = std::make_shared<const Event>(
      Event{EventType::Deleted, revision, final, old ? std::move(*old) : nullptr});
  ring_.append(*event, executor_->monoNow());
  newest_.store(revision, std::memory_order_release);
  revision_.store(revision, std::memory_order_release);
  lock.unlock();
  hub_->publish(event);
  return final;
}

int64_t Kind::floor() const {
  std::lock_guard lock(mutex_);
  return ring_.floor();
}

bool Kind::canFill() const {
  std::lock_guard lock(mutex_);
  return !ring_.dropped();
}

void Kind::fill(std::vector<EventPtr> events, int64_t floor) {
  std::lock_guard lock(mutex_);
  if (floor < ring_.floor()) ring_.prepend(std::move(events), floor, executor_->monoNow());
}

void Kind::attach(const std::shared_ptr<Watcher>& watcher) {
  int64_t after = watcher->request().after;
  hub_->attach(watcher, [&](int64_t& upTo) -> Result<std::vector<EventPtr>> {
    std::lock_guard lock(mutex_);
    if (after < ring_.floor()) return tooOld(after);
    upTo = newest_.load(std::memory_order_relaxed);
    return ring_.after(after);
  });
}

void Kind::expire(MonoTime events, MonoTime snapshots) {
  std::vector<EventPtr> oldEvents;
  std::vector<Kept> oldSnapshots;
  std::lock_guard lock(mutex_);
  oldEvents = ring_.expire(events);
  for (auto it = kept_.begin(); it != kept_.end();) {
    if (it->second.used < snapshots) {
      oldSnapshots.push_back(std::move(it->second));
      it = kept_.erase(it);
    } else {
      ++it;
    }
  }
}

bool Kind::enter(Mutation& mutation) {
  {
    std::lock_guard lock(queueMutex_);
    auto [it, first] = busy_.try_emplace(mutation.key);
    if (first) return true;
    if (it->second.size() < kMaxWaitingAKey) {
      it->second.push_back(std::move(mutation));
      return false;
    }
  }
  if (mutation.done)
    mutation.done(Status::tooManyRequests("too many writes to " + mutation.key + " are waiting", 1));
  return false;
}

std::optional<Mutation> Kind::leave(const std::string& key) {
  std::lock_guard lock(queueMutex_);
  auto it = busy_.find(key);
  PH_CHECK(it != busy_.end());
  if (it->second.empty()) {
    busy_.erase(it);
    return std::nullopt;
  }
  Mutation next = std::move(it->second.front());
  it->second.pop_front();
  return next;
}

}  // namespace ph::cache
