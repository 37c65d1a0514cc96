// Poller: waits for descriptors (sockets of DNS, TCP probes, process ends) and tells the strand. One epoll loop on an executor of
// its own, since nothing else may block.
// Threads: watch() and unwatch() from any thread; callbacks on the executor given with them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "engine/base/executor.h"
#include "engine/base/result.h"

namespace ph::agents {

class Poller : public std::enable_shared_from_this<Poller> {
 public:
  static Result<std::shared_ptr<Poller>> make();
  ~Poller();

  enum Interest { Readable = 1, Writable = 2 };
  // Calls back once when `fd` is ready (or broken); watch again for more. The descriptor stays the caller's: unwatch before closing.
  void watch(int fd, Interest interest, std::shared_ptr<Executor> on, Task ready);
  void unwatch(int fd);

 private:
  struct Waiting {
    std::shared_ptr<Executor> on;
    Task ready;
  };
  struct Shared {  // outlives the loop
    int epoll = -1, wake = -1;
    std::mutex mutex;
    std::map<int, Waiting> waiting;
    bool stopped = false;
    ~Shared();
  };
  explicit Poller(std::shared_ptr<Shared> shared);
  static void loop(const std::shared_ptr<Shared>& shared);

  std::shared_ptr<Shared> shared_;
  std::shared_ptr<Executor> thread_;
};

}  // namespace ph::agents
