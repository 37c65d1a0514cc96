// Deadlines: what must be answered in time. One timer for all of them, armed only while something waits.
// Threads: all calls from any thread; late() runs on the executor, under no lock.
#pragma once

#include <list>
#include <memory>
#include <mutex>

#include "engine/base/executor.h"

namespace ph::server {

// Something with a deadline.
class Timed {
 public:
  virtual ~Timed() = default;
  // The time is up. Whoever is still there gets another kAgain.
  virtual void late() = 0;
};

class Deadlines : public std::enable_shared_from_this<Deadlines> {
 public:
  static constexpr Duration kAgain = std::chrono::seconds(60);
  struct Entry {
    MonoTime due;
    std::weak_ptr<Timed> timed;
  };
  using Place = std::list<Entry>::iterator;

  explicit Deadlines(std::shared_ptr<Executor> executor) : executor_(std::move(executor)) {}
  Place add(Duration within, std::weak_ptr<Timed> timed);
  void remove(Place place);
  size_t size() const;

 private:
  void arm(MonoTime due);
  void look();

  const std::shared_ptr<Executor> executor_;
  mutable std::mutex mutex_;
  std::list<Entry> waiting_;
  MonoTime armedFor_{};
  Timer timer_;
};

}  // namespace ph::server
