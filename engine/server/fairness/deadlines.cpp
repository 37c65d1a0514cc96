#include "engine/server/fairness/deadlines.h"

#include <algorithm>
#include <vector>

namespace ph::server {

Deadlines::Place Deadlines::add(Duration within, std::weak_ptr<Timed> timed) {
  auto due = executor_->monoNow() + within;
  std::list<Entry> one;
  one.push_back({due, std::move(timed)});
  std::lock_guard lock(mutex_);
  waiting_.splice(waiting_.end(), one);
  if (!timer_.armed() || due < armedFor_) arm(due);
  return std::prev(waiting_.end());
}

void Deadlines::remove(Place place) {
  std::list<Entry> gone;
  std::lock_guard lock(mutex_);
  gone.splice(gone.end(), waiting_, place);
}

size_t Deadlines::size() const {
  std::lock_guard lock(mutex_);
  return waiting_.size();
}

void Deadlines::arm(MonoTime due) {
  armedFor_ = due;
  timer_ = executor_->after(std::max(due - executor_->monoNow(), Duration::zero()), [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->look();
  });
}

void Deadlines::look() {
  std::vector<std::shared_ptr<Timed>> late;
  {
    std::lock_guard lock(mutex_);
    timer_ = {};
    auto now = executor_->monoNow();
    auto next = MonoTime::max();
    for (auto& entry : waiting_) {
      if (entry.due <= now) {
        if (auto timed = entry.timed.lock()) late.push_back(std::move(timed));
        entry.due = now + kAgain;
      }
      next = std::min(next, entry.due);
    }
    if (!waiting_.empty()) arm(next);
  }
  for (auto& timed : late) timed->late();
}

}  // namespace ph::server
