// The thread executor: a run queue and a timer heap under one mutex, served by a fixed pool of threads.
#include "engine/base/executor.h"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/strand.h"

namespace ph {
namespace {

struct Timed {
  MonoTime due;
  uint64_t order;
  std::shared_ptr<std::atomic<bool>> cancelled;
  Task task;
};
bool later(const Timed& a, const Timed& b) { return a.due != b.due ? a.due > b.due : a.order > b.order; }

// What the workers share; it outlives the executor while a worker still finishes its last task.
struct Pool {
  std::mutex mutex;
  // Who sleeps: at most one worker until the next timer, the others until told. Told first are those without a timer:
  // woken for a task, the one with the timer would have to wake another to take that over.
  std::condition_variable due, told;
  int idle = 0;  // sleep in `told`
  bool timerWaiter = false;
  std::deque<Task> ready;
  std::vector<Timed> timers;  // a heap, earliest first
  uint64_t order = 0;
  bool stop = false;

  // Who is to be notified of a task; nobody when all work. Call under the mutex, notify after it: a worker woken under
  // the mutex would sleep again for it.
  std::condition_variable* sleeper() { return idle > 0 ? &told : timerWaiter ? &due : nullptr; }

  // Moves what is due to the run queue; cancelled timers vanish. Call under the mutex.
  void fireDue(MonoTime now) {
    while (!timers.empty() &&
           (timers.front().due <= now || timers.front().cancelled->load(std::memory_order_acquire))) {
      std::pop_heap(timers.begin(), timers.end(), later);
      Timed t = std::move(timers.back());
      timers.pop_back();
      if (t.cancelled->load(std::memory_order_acquire)) continue;
      ready.push_back([cancelled = std::move(t.cancelled), task = std::move(t.task)] {
        if (!cancelled->load(std::memory_order_acquire)) task();
      });
    }
  }

  void work() {
    std::unique_lock lock(mutex);
    while (!stop) {
      fireDue(systemClock().monoNow());
      if (!ready.empty()) {
        Task task = std::move(ready.front());
        ready.pop_front();
        // Another worker takes what is left, or keeps the timers while this one is busy.
        auto* other = !ready.empty() || (!timers.empty() && !timerWaiter) ? sleeper() : nullptr;
        lock.unlock();
        if (other) other->notify_one();
        task();
        task = nullptr;  // its captures die outside the lock
        lock.lock();
      } else if (!timers.empty() && !timerWaiter) {
        timerWaiter = true;
        due.wait_until(lock, std::chrono::steady_clock::time_point(timers.front().due.time_since_epoch()));
        timerWaiter = false;
      } else {
        ++idle;
        told.wait(lock);
        --idle;
      }
    }
  }
};

class ThreadExecutor : public Executor, public std::enable_shared_from_this<ThreadExecutor> {
 public:
  ThreadExecutor(int threads, const std::string& name) : pool_(std::make_shared<Pool>()) {
    PH_CHECK(threads > 0);
    for (int i = 0; i < threads; ++i) {
      threads_.emplace_back([pool = pool_] { pool->work(); });
      pthread_setname_np(threads_.back().native_handle(), name.substr(0, 15).c_str());
    }
  }

  ~ThreadExecutor() override {
    std::deque<Task> dropped;
    std::vector<Timed> droppedTimers;
    {
      std::lock_guard lock(pool_->mutex);
      pool_->stop = true;
      dropped.swap(pool_->ready);
      droppedTimers.swap(pool_->timers);
    }
    pool_->due.notify_all();
    pool_->told.notify_all();
    for (auto& t : threads_) {
      // The last reference may die in a task of this pool: that worker ends by itself.
      if (t.get_id() == std::this_thread::get_id()) t.detach();
      else t.join();
    }
  }

  void post(Task task) override {
    std::unique_lock lock(pool_->mutex);
    if (pool_->stop) return;
    pool_->ready.push_back(std::move(task));
    auto* sleeper = pool_->sleeper();
    lock.unlock();
    if (sleeper) sleeper->notify_one();
  }

  Timer after(Duration delay, Task task) override {
    auto cancelled = std::make_shared<std::atomic<bool>>(false);
    std::unique_lock lock(pool_->mutex);
    if (pool_->stop) return Timer(cancelled);
    MonoTime due = systemClock().monoNow() + delay;
    bool first = pool_->timers.empty() || due < pool_->timers.front().due;
    pool_->timers.push_back({due, pool_->order++, cancelled, std::move(task)});
    std::push_heap(pool_->timers.begin(), pool_->timers.end(), later);
    // Whoever sleeps for the timers must look again; without one, somebody must begin to.
    auto* sleeper = !pool_->timerWaiter ? pool_->sleeper() : first ? &pool_->due : nullptr;
    lock.unlock();
    if (sleeper) sleeper->notify_one();
    return Timer(cancelled);
  }

  std::shared_ptr<Executor> strand() override { return std::make_shared<Strand>(shared_from_this()); }
  const Clock& clock() const override { return systemClock(); }
  Random& random() override { return systemRandom(); }

 private:
  std::shared_ptr<Pool> pool_;
  std::vector<std::thread> threads_;
};

}  // namespace

std::shared_ptr<Executor> makeThreadExecutor(int threads, std::string name) {
  return std::make_shared<ThreadExecutor>(threads, name);
}

}  // namespace ph
