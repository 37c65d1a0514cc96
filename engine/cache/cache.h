// Cache: the one in-memory state above the store: a snapshot per kind, preconditions, the watch hub.
// Writes are checked here in memory, committed by the store, then published: a reader or a watcher never sees
// what is not durable. Writes to one key run one at a time, in order of arrival (bounded queue; 429 at the
// limit). The last minute of events (at most 20,000, or 24 MiB, a kind) is kept for watches and pages that
// begin in the past; after a start the store's history fills in. The store's history is compacted from here:
// five minutes or 50,000 revisions stay. Threads: all calls from any thread, never blocking. Callbacks: see
// each.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/object.h"
#include "engine/base/cow_map.h"
#include "engine/base/executor.h"
#include "engine/base/result.h"
#include "engine/store/store.h"

namespace ph::cache {

using api::ObjectPtr;
using api::ResourceInfo;

// A kind at one revision: immutable, cheap to copy; keys are "NS/NAME" or "NAME", sorted.
struct KindSnapshot {
  CowMap<std::string, ObjectPtr> objects;
  int64_t revision = 0;  // of the whole cache when it was taken
};

enum class EventType : uint8_t { Added, Modified, Deleted };

// Shared by all watchers.
struct Event {
  EventType type;
  int64_t revision;
  ObjectPtr object;  // Deleted: the last state, at the deletion's revision
  ObjectPtr old;     // before; null when Added
};
using EventPtr = std::shared_ptr<const Event>;

// What to do with a key, decided on its newest state. Called (any thread, not under locks that others can
// wait on long) when it is the key's turn; may be called once only. Answers: an object to store, a null
// object to delete, `noChange`, or a Status. `current` is null when the key does not exist.
struct Decision {
  enum class Kind { Put, Delete, NoChange } kind = Kind::Put;
  ObjectPtr
      object;  // Put: what to store (its revision is ignored). Delete: the final state that watchers get.
};
using Decide = std::function<Result<Decision>(const ObjectPtr& current)>;

struct Mutation {
  const ResourceInfo* info;  // storage entry
  std::string key;           // "NS/NAME" or "NAME"
  Decide decide;
  // The stored object at its new revision; for Delete the final state; for NoChange the current one. After
  // the fsync. Runs on the store's or the caller's thread: must not block.
  std::function<void(Result<ObjectPtr>)> done;
};

class WatchHandle {
 public:
  virtual ~WatchHandle() = default;  // ends the watch; a batch may still be in delivery on another thread
  // onEvents has returned from everything up to this revision (of the whole cache): what a bookmark may say.
  virtual int64_t progress() const = 0;
};

// A property of objects by which watchers of a kind can be told apart at once (a Pod's node): with it an
// event costs the same whatever the number of watchers that it does not concern. Pure; the address of the
// function names the index.
using IndexFn = std::string_view (*)(const api::Object& object);

struct WatchRequest {
  const ResourceInfo* info = nullptr;
  std::string ns;           // empty: all
  IndexFn index = nullptr;  // with it: only events whose object has `indexValue` there, before or after
  std::string indexValue;
  int64_t after = 0;  // revision; events after it. 410 when no longer held
  size_t maxQueued =
      10000;  // events not yet taken; past it the watch ends with 410 (the watcher lists again)
  std::function<void(std::vector<EventPtr>)>
      onEvents;                       // batches, in order, on the cache's executor; one at a time
  std::function<void(Status)> onEnd;  // once, last, on the cache's executor; not after the handle is dropped
};

class Cache {
 public:
  virtual ~Cache() = default;
  // Loads everything from the store. Blocks for as long as that takes. Objects of kinds that the registry
  // does not know yet appear as soon as it does.
  static Result<std::unique_ptr<Cache>> open(std::shared_ptr<store::Store> store,
                                             std::shared_ptr<api::Registry> registry,
                                             std::shared_ptr<Executor> executor);
  virtual ObjectPtr get(const ResourceInfo& info, const std::string& key) const = 0;
  virtual KindSnapshot snapshot(const ResourceInfo& info) const = 0;
  // A snapshot kept for paginated lists (a continue token names its revision); 410 when it has gone.
  virtual Result<KindSnapshot> snapshotAt(const ResourceInfo& info, int64_t revision) const = 0;
  virtual int64_t revision() const = 0;
  // The revision of the kind's last change (or less than any change since the cache was opened). What was made of a snapshot
  // is current as long as this is not above the snapshot's revision.
  virtual int64_t changedAt(const ResourceInfo& info) const = 0;
  virtual void mutate(Mutation mutation) = 0;
  virtual void mutateAll(
      std::vector<Mutation> mutations) = 0;  // submitted together: one group commit where possible
  // 410 at once, or later by onEnd when the store's history has to be asked.
  virtual Result<std::unique_ptr<WatchHandle>> watch(WatchRequest request) = 0;
  // Ends all watches of a kind that goes.
  virtual void endWatches(const ResourceInfo& info, Status status) = 0;
  virtual bool readOnly() const = 0;  // the store failed
};

}  // namespace ph::cache
