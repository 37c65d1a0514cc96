// Strand: one-at-a-time, in-order execution on any Executor. Used by the executors' strand().
// Threads: post() from any thread; the tasks never run beside one another.
#pragma once

#include <deque>
#include <memory>
#include <mutex>

#include "engine/base/executor.h"

namespace ph {

class Strand : public Executor, public std::enable_shared_from_this<Strand> {
 public:
  explicit Strand(std::shared_ptr<Executor> below) : below_(std::move(below)) {}

  void post(Task task) override;
  Timer after(Duration delay, Task task) override;
  std::shared_ptr<Executor> strand() override { return std::make_shared<Strand>(below_); }
  const Clock& clock() const override { return below_->clock(); }
  Random& random() override { return below_->random(); }

 private:
  void run();

  std::shared_ptr<Executor> below_;
  std::mutex mutex_;
  std::deque<Task> tasks_;
  bool running_ = false;  // a run() is posted or under way
};

}  // namespace ph
