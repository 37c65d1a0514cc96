// Reflector: keeps a cache of one kind in step with the API by list + watch, over any Client.
// A paged list, then a watch from its revision; 410 lists again, any other end is watched again with back-off
// and jitter. Threads: start(), stop() and the readers from any thread. Handlers run on `strand` only, one at
// a time, after the snapshot holds the change; none begins after stop() has returned on the strand.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/base/cow_map.h"
#include "engine/base/executor.h"
#include "engine/client/client.h"

namespace ph::client {

// Keys are Object::key(): "NS/NAME", or "NAME" for cluster-scoped kinds.
using ObjectMap = CowMap<std::string, ObjectPtr>;

// old is null: added. now is null: deleted. Never both.
struct Change {
  ObjectPtr old, now;
  const ObjectPtr& any() const { return now ? now : old; }
};

class Reflector : public std::enable_shared_from_this<Reflector> {
  struct Private {};

 public:
  struct Options {
    std::string ns, labelSelector, fieldSelector;
    int64_t pageSize = 500;
    size_t maxObjects = 2'000'000;  // past it the cache stops following and lastError() says so
    size_t maxPending = 200'000;  // events handed over but not yet applied; past it the kind is listed again
    Duration minBackoff = std::chrono::milliseconds(100);
    Duration maxBackoff = std::chrono::seconds(30);
  };
  struct Handlers {
    // Changes in order, as many as came together. The first call after start() carries what the list found.
    std::function<void(const std::vector<Change>&)> onChanges;
    // Once, after the changes of the first complete list were handed over.
    std::function<void()> onSynced;
    // The stream went up (true) or down (false).
    std::function<void(bool up)> onConnected;
  };

  // `client` and `info` must outlive stop().
  static std::shared_ptr<Reflector> start(Client& client, const ResourceInfo& info,
                                          std::shared_ptr<Executor> strand, Options options,
                                          Handlers handlers);
  Reflector(Private, Client& client, const ResourceInfo& info, std::shared_ptr<Executor> strand,
            Options options, Handlers handlers);
  ~Reflector();

  void stop();

  const ResourceInfo& info() const { return info_; }
  // The first list is complete.
  bool synced() const { return synced_.load(std::memory_order_acquire); }
  // The watch is open right now: what the snapshot lacks is only what is on its way.
  bool connected() const { return connected_.load(std::memory_order_acquire); }
  // The newest revision known to be in the snapshot.
  int64_t revision() const { return revision_.load(std::memory_order_acquire); }
  ObjectMap snapshot() const;
  ObjectPtr get(std::string_view key) const;
  // Why the last attempt ended; empty when all is well.
  std::string lastError() const;

 private:
  void beginList();
  void listPage(std::string token);
  void onPage(uint64_t epoch, Result<ListResult> page);
  void replaceAll(std::vector<ObjectPtr> items, int64_t revision);
  void beginWatch();
  void onEvents(uint64_t epoch, std::vector<WatchEvent> events);
  void onEnd(uint64_t epoch, const Status& status);
  void retry(bool listAgain, const std::string& why);
  void setConnected(bool up);
  void fail(const std::string& why);
  bool current(uint64_t epoch) const { return !stopped_ && epoch == epoch_; }

  Client& client_;
  const ResourceInfo& info_;
  const std::shared_ptr<Executor> strand_;
  const Options options_;
  Handlers handlers_;

  // On the strand only.
  uint64_t epoch_ = 0;  // of the current attempt; callbacks of older ones are dropped
  std::vector<ObjectPtr> listed_;
  std::unique_ptr<Watch> watch_;
  Timer timer_;
  MonoTime watchBegan_{};
  int failures_ = 0;

  std::atomic<bool> stopped_{false}, synced_{false}, connected_{false};
  std::atomic<int64_t> revision_{0};
  std::shared_ptr<std::atomic<size_t>> pending_ = std::make_shared<std::atomic<size_t>>(0);
  mutable std::mutex mutex_;  // objects_, error_
  ObjectMap objects_;
  std::string error_;
};

}  // namespace ph::client
