// The store's background work, on its own thread and connection: moving the write-ahead log into the database
// and forgetting compacted records. It holds the write lock for a few milliseconds at a time, so the writer
// hardly waits. Threads: all methods from any thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "engine/base/result.h"
#include "engine/store/sqlite_db.h"

namespace ph::store {

class Maintenance {
 public:
  // `writeLock` is held around each write transaction of this process, the writer's too. `deliver` takes what
  // is to run on the store's callback thread.
  Maintenance(Db db, std::mutex& writeLock, std::function<void(std::function<void()>)> deliver,
              int64_t compacted);
  ~Maintenance();  // finishes the step under way; compactions not done answer 503
  void compact(int64_t revision, std::function<void(Result<>)> done);
  // The log has grown to so many pages.
  void walGrew(int pages);
  int64_t compacted() const { return compacted_.load(std::memory_order_acquire); }

 private:
  struct Request {
    int64_t revision;
    std::function<void(Result<>)> done;
  };
  void work();
  void answer(Request request, Result<> result);
  Result<> sweepTo(int64_t revision);
  Result<> sweepStep(int64_t from, int64_t to);
  Result<> raise(int64_t revision);
  void checkpoint();

  std::mutex& writeLock_;
  std::function<void(std::function<void()>)> deliver_;
  std::atomic<int64_t> compacted_;
  std::atomic<int> walPages_{0};

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Request> requests_;
  bool checkpointDue_ = false;
  std::atomic<bool> stop_{false};

  Db db_;  // used by the thread alone
  std::thread thread_;
};

}  // namespace ph::store
