// What the cache's tasks and callbacks share: the kinds, and the store until the cache goes.
// Threads: all methods from any thread.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/base/executor.h"
#include "engine/cache/kind.h"
#include "engine/store/store.h"

namespace ph::cache {

class Core : public std::enable_shared_from_this<Core> {
 public:
  Core(store::Store* store, std::shared_ptr<api::Registry> registry, std::shared_ptr<Executor> executor);

  Result<> load();
  void start();  // housekeeping
  // From here on the store is not called any more. The caller then lets go of it: its last callbacks still
  // come.
  void close();

  // The kind of an entry, made when it is new.
  Kind& kind(const ResourceInfo& info);
  // By a store key; null while the registry does not know it.
  Kind* kindOfKey(std::string_view key, std::string_view* rest, const ResourceInfo** info);
  int64_t revision() const { return revision_.load(std::memory_order_acquire); }
  // All events up to this revision have been handed to the hubs.
  int64_t published() const { return published_.load(std::memory_order_acquire); }
  bool readOnly() const { return readOnly_.load(std::memory_order_acquire); }

  void mutateAll(std::vector<Mutation> mutations);
  void beginWatch(const std::shared_ptr<Watcher>& watcher);
  Result<> checkWatch(Kind& kind, int64_t after) const;

  // Runs `f(store)` unless the cache is closed; false then.
  template <class F>
  bool withStore(F&& f) {
    std::shared_lock lock(gate_);
    if (!store_) return false;
    f(*store_);
    return true;
  }
  int64_t openedAt() const { return openedAt_; }
  const std::shared_ptr<Executor>& executor() const { return executor_; }
  // Old events found in the store's history: fills the kinds, then lets the waiting watches begin.
  void historyFilled(std::map<Kind*, std::vector<EventPtr>> events, int64_t floor);

 private:
  struct Pending {  // a mutation on its way through the store
    Kind* kind;
    Mutation mutation;
    Decision decision;
    ObjectPtr current;
  };
  struct Committed {  // a mutation whose events come before its answer
    Kind* kind;
    Mutation mutation;
    ObjectPtr object;
  };
  enum class FillState { Never, Running, Done };

  void restore(store::Record record, std::optional<Status>& failure);
  void adopt(Kind& kind, const ResourceInfo& info);
  // The write that is to be committed, or nothing when the mutation has ended without one.
  std::optional<store::Txn> decide(Kind& kind, Mutation mutation);
  void finish(Kind& kind, Mutation mutation, Result<ObjectPtr> result);
  void afterCommit();
  void committed(Pending pending, Result<std::vector<int64_t>> result);
  void submit(std::vector<store::Txn> txns);
  void runNext(Kind& kind, Mutation mutation);
  void housekeeping();
  void compactIfDue();

  std::shared_mutex gate_;
  store::Store* store_;
  const std::shared_ptr<api::Registry> registry_;
  const std::shared_ptr<Executor> executor_;
  int64_t openedAt_ = 0;
  std::atomic<int64_t> revision_{0}, published_{0};
  std::atomic<bool> readOnly_{false};

  std::vector<Committed> committed_;  // by the commit whose callbacks are being made; of the store's thread alone

  std::shared_mutex kindsMutex_;
  std::unordered_map<std::string, std::unique_ptr<Kind>> kinds_;  // by prefix
  std::unordered_map<const ResourceInfo*, Kind*> byInfo_;
  std::unordered_map<std::string, std::vector<store::Record>>
      unknown_;  // by prefix, until the registry knows them

  std::mutex fillMutex_;
  FillState fill_ = FillState::Never;
  std::vector<std::shared_ptr<Watcher>> waiting_;

  Timer timer_;
  std::vector<std::pair<MonoTime, int64_t>> marks_;  // what the revision was when; used by housekeeping alone
  std::atomic<bool> compacting_{false};
};

}  // namespace ph::cache
