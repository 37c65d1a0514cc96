#include "engine/base/strand.h"

namespace ph {

void Strand::post(Task task) {
  {
    std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    if (running_) return;
    running_ = true;
  }
  below_->post([self = shared_from_this()] { self->run(); });
}

void Strand::run() {
  // A bounded batch, so that one busy strand does not hold a thread for ever.
  constexpr int kBatch = 64;
  for (int i = 0; i < kBatch; ++i) {
    Task task;
    {
      std::lock_guard lock(mutex_);
      if (tasks_.empty()) {
        running_ = false;
        return;
      }
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
  below_->post([self = shared_from_this()] { self->run(); });
}

Timer Strand::after(Duration delay, Task task) {
  // Cancelled between firing below and running here, the task must not run: this flag is looked at on the strand.
  auto cancelled = std::make_shared<std::atomic<bool>>(false);
  below_
      ->after(delay,
              [weak = weak_from_this(), cancelled, task = std::move(task)]() mutable {
                auto self = weak.lock();
                if (!self || cancelled->load(std::memory_order_acquire)) return;
                self->post([cancelled, task = std::move(task)] {
                  if (!cancelled->load(std::memory_order_acquire)) task();
                });
              })
      .detach();
  return Timer(cancelled);
}

}  // namespace ph
