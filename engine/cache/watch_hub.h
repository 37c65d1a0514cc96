// The watchers of one kind, and the way of events to them: published events gather while a fan-out is under
// way; each fan-out hands every watcher its share of all of them at once, with one wake-up a watcher.
// Threads: all methods from any thread. Callbacks of watchers run on the executor, one at a time for each
// watcher, under no lock.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/base/executor.h"
#include "engine/cache/cache.h"

namespace ph::cache {

class Watcher : public std::enable_shared_from_this<Watcher> {
 public:
  Watcher(WatchRequest request, std::shared_ptr<Executor> executor)
      : request_(std::move(request)), executor_(std::move(executor)) {}

  const WatchRequest& request() const { return request_; }
  // Whether it asked for such events.
  bool wants(const Event& event) const;
  // The first events, whatever their number, and the revision up to which they are complete.
  void begin(std::vector<EventPtr> backlog, int64_t upTo);
  int64_t begunAt() const { return begunAt_.load(std::memory_order_acquire); }
  // More events. False when its queue is full: then it ends.
  bool push(const std::vector<EventPtr>& events);
  void end(Status status);
  void endAfterwards(Status status);  // when all pending events are delivered
  // No callback begins after this.
  void cancel();
  bool cancelled() const;
  bool idle() const;
  int64_t delivered() const { return delivered_.load(std::memory_order_acquire); }

 private:
  void wake();
  void deliver();

  const WatchRequest request_;
  const std::shared_ptr<Executor> executor_;
  std::atomic<int64_t> begunAt_{-1}, delivered_{0};

  mutable std::mutex mutex_;
  std::vector<EventPtr> pending_;
  size_t queued_ = 0;  // of the pending ones, those that count against the limit
  bool scheduled_ = false, finished_ = false;
  std::optional<Status> ending_;
};

class WatchHub : public std::enable_shared_from_this<WatchHub> {
 public:
  explicit WatchHub(std::shared_ptr<Executor> executor) : executor_(std::move(executor)) {}

  // `backlog` answers the first events and where they end; it is called when everything published later is
  // sure to reach the watcher.
  void attach(const std::shared_ptr<Watcher>& watcher,
              const std::function<Result<std::vector<EventPtr>>(int64_t& upTo)>& backlog);
  void detach(const Watcher* watcher);
  // Every watcher that there is ends with this, after what it has yet to be given.
  void endAll(const Status& status);
  // In revision order. Cheap when nobody watches. They go out with the next pass(), for all that were committed
  // together: on the executor, or at once, on the calling thread, where there are few watchers.
  void publish(const EventPtr& event);
  void pass();
  // Nothing published is still on its way to the watchers' queues.
  bool settled() const;
  size_t watchers() const { return count_; }

 private:
  using Group = std::vector<std::shared_ptr<Watcher>>;
  using Index = std::unordered_map<std::string, Group>;

  void endNow(const Status& status);
  void fanOut();
  void handOut(const std::vector<EventPtr>& events);
  void handTo(Group& group, const std::vector<EventPtr>& events, std::vector<std::shared_ptr<Watcher>>& full);
  void add(const std::shared_ptr<Watcher>& watcher);
  void removeLocked(const Watcher* watcher);

  const std::shared_ptr<Executor> executor_;
  std::atomic<size_t> count_{0};

  mutable std::mutex queueMutex_;
  std::vector<EventPtr> published_;
  bool running_ = false;
  std::optional<Status> ending_;  // of all watchers, when nothing is on its way any more

  std::mutex setMutex_;
  Group plain_;
  std::map<IndexFn, Index> indexed_;
};

}  // namespace ph::cache
