// WorkQueue: keys to look at, each once. A key added while it is being worked on comes again when that work
// is done; delays keep the earliest time; failures of one key back off exponentially (base 5 ms, doubling to
// 1,000 s) until forgotten. Threads: confined to `strand`: every call is made there, and `onReady` runs there
// (posted, never inline).
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/base/executor.h"

namespace ph::client {

class WorkQueue {
 public:
  struct Options {
    Duration baseDelay = std::chrono::milliseconds(5);
    Duration maxDelay = std::chrono::seconds(1000);
    size_t maxKeys = 2'000'000;  // known keys of all states; past it add() answers false
  };
  // `onReady`: keys wait to be taken. Called once per time that the queue goes from nothing to take to
  // something.
  WorkQueue(std::shared_ptr<Executor> strand, Options options, std::function<void()> onReady);
  ~WorkQueue();
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  // False when the queue is full (and the key not in it already).
  bool add(const std::string& key);
  bool addAfter(const std::string& key, Duration delay);
  // What waits for a later time comes now, for when the clock that it waits by can't be trusted.
  void hurry() { fire(MonoTime::max()); }
  // Adds after the key's back-off, which grows with each call until forget().
  bool addRateLimited(const std::string& key);
  void forget(const std::string& key);
  int failures(const std::string& key) const;

  // The next key to work on; the caller owes done(key).
  std::optional<std::string> take();
  void done(const std::string& key);

  size_t ready() const { return ready_.size(); }
  size_t size() const { return keys_.size(); }

 private:
  struct State {
    bool queued = false;   // in ready_
    bool working = false;  // taken
    bool again = false;    // added while working
    int failures = 0;
    std::optional<MonoTime> due;  // in delayed_
    uint64_t serial = 0;          // of that entry
  };
  State* state(const std::string& key);
  void push(const std::string& key, State& s);
  void release(const std::string& key);
  void arm();
  void fire(MonoTime until);  // makes ready what is due by then

  const std::shared_ptr<Executor> strand_;
  const Options options_;
  const std::function<void()> onReady_;
  std::unordered_map<std::string, State> keys_;
  std::deque<std::string> ready_;
  std::map<std::pair<MonoTime, uint64_t>, std::string> delayed_;  // ties in order of adding
  uint64_t serial_ = 0;
  Timer timer_;
  std::optional<MonoTime> armedFor_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  bool signalled_ = false;
};

}  // namespace ph::client
