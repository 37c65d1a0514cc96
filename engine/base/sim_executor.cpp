// The simulation's executor: one queue in virtual time. Tasks due at the same time run in an order drawn from the seed,
// except that those of one strand keep theirs (a strand posts only its runner here).
#include <algorithm>
#include <vector>

#include "engine/base/executor.h"
#include "engine/base/strand.h"

namespace ph {
namespace {

struct Entry {
  MonoTime due;
  uint64_t draw;   // ties: the seed decides
  uint64_t order;  // and then arrival
  std::shared_ptr<std::atomic<bool>> cancelled;
  Task task;
};
bool later(const Entry& a, const Entry& b) {
  if (a.due != b.due) return a.due > b.due;
  if (a.draw != b.draw) return a.draw > b.draw;
  return a.order > b.order;
}

class SimClock : public Clock {
 public:
  WallTime wallNow() const override {
    return std::chrono::floor<std::chrono::microseconds>(kStart + now.time_since_epoch() + wallOffset);
  }
  MonoTime monoNow() const override { return now; }

  // Any fixed date serves; a run must not depend on the day it is made.
  static constexpr auto kStart = std::chrono::sys_time<Duration>(std::chrono::seconds(1767225600));
  MonoTime now{std::chrono::hours(1)};  // not zero: a MonoTime{} then always lies in the past
  Duration wallOffset{};
};

class SimExecutorImpl : public SimExecutor {
 public:
  explicit SimExecutorImpl(uint64_t seed) : random_(seededRandom(seed)), order_(seededRandom(~seed)) {}

  void post(Task task) override { push(clock_.now, nullptr, std::move(task)); }

  Timer after(Duration delay, Task task) override {
    auto cancelled = std::make_shared<std::atomic<bool>>(false);
    push(clock_.now + std::max(delay, Duration(0)), cancelled, std::move(task));
    return Timer(cancelled);
  }

  std::shared_ptr<Executor> strand() override { return std::make_shared<Strand>(shared_from_this()); }
  const Clock& clock() const override { return clock_; }
  Random& random() override { return *random_; }

  bool step() override {
    while (!queue_.empty()) {
      std::pop_heap(queue_.begin(), queue_.end(), later);
      Entry e = std::move(queue_.back());
      queue_.pop_back();
      if (e.cancelled && e.cancelled->load()) continue;
      clock_.now = std::max(clock_.now, e.due);
      e.task();
      return true;
    }
    return false;
  }

  void runFor(Duration span) override {
    MonoTime end = clock_.now + span;
    while (nextDueBy(end)) step();
    clock_.now = std::max(clock_.now, end);
  }

  bool runUntil(const std::function<bool()>& done, Duration limit) override {
    MonoTime end = clock_.now + limit;
    while (!done()) {
      if (!nextDueBy(end)) {
        clock_.now = std::max(clock_.now, end);
        return done();
      }
      step();
    }
    return true;
  }

  void jumpWall(Duration by) override { clock_.wallOffset += by; }
  size_t pending() const override { return queue_.size(); }

 private:
  void push(MonoTime due, std::shared_ptr<std::atomic<bool>> cancelled, Task task) {
    queue_.push_back({due, order_->next(), count_++, std::move(cancelled), std::move(task)});
    std::push_heap(queue_.begin(), queue_.end(), later);
  }

  // Drops cancelled entries first, so that step() never runs something beyond `end`.
  bool nextDueBy(MonoTime end) {
    while (!queue_.empty() && queue_.front().cancelled && queue_.front().cancelled->load()) {
      std::pop_heap(queue_.begin(), queue_.end(), later);
      queue_.pop_back();
    }
    return !queue_.empty() && queue_.front().due <= end;
  }

  SimClock clock_;
  std::unique_ptr<Random> random_, order_;
  std::vector<Entry> queue_;
  uint64_t count_ = 0;
};

}  // namespace

std::shared_ptr<SimExecutor> SimExecutor::make(uint64_t seed) { return std::make_shared<SimExecutorImpl>(seed); }

}  // namespace ph
