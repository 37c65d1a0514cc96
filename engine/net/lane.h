// Lane: one I/O thread with its event loop. Whatever lives on a lane (a connection, a client) is only touched
// by that thread, so it needs no locks; other threads reach it through post() and wake(). Threads: post(),
// wake() and here() from any thread; the rest on the lane's thread.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/executor.h"
#include "engine/net/net.h"

namespace boost::asio {
class io_context;
}

namespace ph::net {

// Something on a lane that other threads hand work to.
class Wakeable {
 public:
  virtual ~Wakeable() = default;
  virtual void onWake() = 0;
};

class Lane : public std::enable_shared_from_this<Lane> {
 public:
  static constexpr size_t kReadRoom = 64 * 1024;  // bytes of readBuffer()

  Lane();
  ~Lane();
  void run();      // until halt(); the calling thread becomes the lane's
  void halt();     // any thread; tasks posted before still run
  void dispose();  // after run() returned, on the same thread: drops what was not begun

  boost::asio::io_context& context() { return *context_; }
  bool here() const { return current() == this; }
  static Lane* current();

  // Both do nothing once the lane was disposed of.
  void post(Task task);
  // Calls onWake() soon. Wakes that come before the lane gets to them share one trip through the event loop.
  void wake(std::shared_ptr<Wakeable> who);
  // Runs `task` after `delay` unless `cancelled` became true.
  void after(Duration delay, Task task, std::shared_ptr<std::atomic<bool>> cancelled);

  // Scratch space shared by all that lives on the lane; its content lasts until control returns to the event
  // loop.
  char* readBuffer() { return readBuffer_.get(); }
  std::string& writeBuffer() { return writeBuffer_; }
  std::string& cipherBuffer() { return cipherBuffer_; }
  // "Sun, 06 Nov 1994 08:49:37 GMT", now.
  const std::string& httpDate();

 private:
  void runWakes();

  std::unique_ptr<boost::asio::io_context> context_;
  std::mutex mutex_;  // guards alive_ and wakes_
  bool alive_ = true;
  std::vector<std::shared_ptr<Wakeable>> wakes_, running_;
  std::unique_ptr<char[]> readBuffer_;
  std::string writeBuffer_, cipherBuffer_;
  std::string date_;
  int64_t dateSecond_ = -1;
};

// A timer that is cheap to move: while its deadline only moves further away, the event loop is not touched.
// Lane thread only, and to be destroyed there.
class Deadline {
 public:
  Deadline(Lane& lane, Task onExpired);
  ~Deadline();
  void set(MonoTime at);
  void clear();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// Io's own face towards the rest of this folder.
class IoImpl : public Io {
 public:
  explicit IoImpl(int threads);
  ~IoImpl() override;
  std::shared_ptr<Executor> executor() override { return executor_; }
  const std::shared_ptr<Lane>& nextLane();
  const std::vector<std::shared_ptr<Lane>>& lanes() const { return lanes_; }

 private:
  std::vector<std::shared_ptr<Lane>> lanes_;
  std::vector<std::thread> threads_;
  std::shared_ptr<Executor> executor_;
  std::atomic<size_t> next_{0};
};

}  // namespace ph::net
