// Executor: the only way anything in the engine or the agent runs later or elsewhere.
// In production: threads (makeThreadExecutor). In simulation: one seeded queue on a virtual clock (SimExecutor).
// Nothing posted may block, except on an executor made for blocking work (see each class's contract).
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "engine/base/random.h"
#include "engine/base/time.h"

namespace ph {

using Task = std::function<void()>;

// Cancels its task when destroyed or reset (RAII). Cancelling never waits: a task that already began finishes, so tasks
// capture weak_ptr (or an alive-flag), never a bare `this` that may die on another thread. Movable; thread-safe to cancel.
class Timer {
 public:
  Timer() = default;
  explicit Timer(std::shared_ptr<std::atomic<bool>> cancelled) : cancelled_(std::move(cancelled)) {}
  Timer(Timer&& o) noexcept = default;
  Timer& operator=(Timer&& o) noexcept {
    if (this != &o) { cancel(); cancelled_ = std::move(o.cancelled_); }
    return *this;
  }
  ~Timer() { cancel(); }
  void cancel() {
    if (cancelled_) cancelled_->store(true, std::memory_order_release);
    cancelled_.reset();
  }
  void detach() { cancelled_.reset(); }  // let it fire whatever happens to this handle
  bool armed() const { return cancelled_ != nullptr; }

 private:
  std::shared_ptr<std::atomic<bool>> cancelled_;
};

class Executor {
 public:
  virtual ~Executor() = default;
  // Runs `task` soon, never inline. Thread-safe.
  virtual void post(Task task) = 0;
  // Runs `task` after `delay` (monotonic). Thread-safe. Keep the Timer or detach() it.
  [[nodiscard]] virtual Timer after(Duration delay, Task task) = 0;
  // A view of this executor on which tasks run one at a time, in the order posted.
  virtual std::shared_ptr<Executor> strand() = 0;
  virtual const Clock& clock() const = 0;
  virtual Random& random() = 0;

  WallTime wallNow() const { return clock().wallNow(); }
  MonoTime monoNow() const { return clock().monoNow(); }
};

// A pool of `threads` worker threads. Its destructor stops the workers after their current task; tasks not begun are dropped.
std::shared_ptr<Executor> makeThreadExecutor(int threads, std::string name);

// The sole thread of a simulation: tasks run in time order, ties in an order drawn from the seed. Single-threaded.
class SimExecutor : public Executor, public std::enable_shared_from_this<SimExecutor> {
 public:
  static std::shared_ptr<SimExecutor> make(uint64_t seed);
  // Runs the next task, moving the clock to its time. False when nothing is left.
  virtual bool step() = 0;
  // Runs until the virtual clock has moved on by `span` (or nothing is left).
  virtual void runFor(Duration span) = 0;
  // Runs until `done()` or `limit` of virtual time has passed; true when done.
  virtual bool runUntil(const std::function<bool()>& done, Duration limit) = 0;
  // Moves only the wall clock (a clock jump, a resume from sleep).
  virtual void jumpWall(Duration by) = 0;
  virtual size_t pending() const = 0;
};

}  // namespace ph
