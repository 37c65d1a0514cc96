// The state of one kind: its objects, their recent events, the snapshots kept for pages, its watchers, and
// the queues of writes to its keys. Threads: all methods from any thread; each holds a mutex for a moment
// only.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>

#include "engine/cache/event_ring.h"
#include "engine/cache/watch_hub.h"

namespace ph::cache {

class Kind {
 public:
  // `revision` is the cache's; this kind raises it under its own mutex, so that a snapshot's contents and
  // revision agree.
  Kind(std::string prefix, int64_t floor, std::atomic<int64_t>& revision, std::shared_ptr<Executor> executor);

  const std::string& prefix() const { return prefix_; }  // "/registry/GROUP/PLURAL/"
  const std::shared_ptr<WatchHub>& hub() const { return hub_; }

  ObjectPtr get(const std::string& key) const;
  KindSnapshot snapshot() const;
  int64_t changedAt() const { return newest_.load(std::memory_order_acquire); }
  Result<KindSnapshot> snapshotAt(int64_t revision);

  void restore(ObjectPtr object);
  // A committed write; raises the cache's revision and publishes. In revision order. Returns the object as it
  // is now known.
  ObjectPtr put(const std::string& key, const ObjectPtr& object, int64_t revision);
  ObjectPtr remove(const std::string& key, const ObjectPtr& last, int64_t revision);

  // Where the ring begins, and whether older events could still be added to it.
  int64_t floor() const;
  bool canFill() const;
  void fill(std::vector<EventPtr> events, int64_t floor);
  // Events after request().after, then all later ones; 410 by onEnd when the ring no longer has them.
  void attach(const std::shared_ptr<Watcher>& watcher);

  // Frees what is older: events, and snapshots kept for pages.
  void expire(MonoTime events, MonoTime snapshots);

  // The key's turn: true when the write may run now, else it waits (429 through its `done` when too many do).
  bool enter(Mutation& mutation);
  // Its write is done; the next one, when there is one.
  std::optional<Mutation> leave(const std::string& key);

 private:
  static constexpr size_t kMaxWaitingAKey = 1000;
  static constexpr size_t kMaxKept = 16;
  struct Kept {
    KindSnapshot snapshot;
    MonoTime used;
  };
  void keep(const KindSnapshot& snapshot);

  const std::string prefix_;
  std::atomic<int64_t>& revision_;
  const std::shared_ptr<Executor> executor_;
  const std::shared_ptr<WatchHub> hub_;

  mutable std::mutex mutex_;
  CowMap<std::string, ObjectPtr> objects_;
  EventRing ring_;
  std::atomic<int64_t> newest_;  // the revision of this kind's last event; written under the mutex
  std::map<int64_t, Kept> kept_;

  std::mutex queueMutex_;
  std::unordered_map<std::string, std::deque<Mutation>> busy_;
};

}  // namespace ph::cache
