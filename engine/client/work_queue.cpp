#include "engine/client/work_queue.h"

#include <algorithm>

#include "engine/base/check.h"

namespace ph::client {

WorkQueue::WorkQueue(std::shared_ptr<Executor> strand, Options options, std::function<void()> onReady)
    : strand_(std::move(strand)), options_(options), onReady_(std::move(onReady)) {}

WorkQueue::~WorkQueue() {
  *alive_ = false;
}

WorkQueue::State* WorkQueue::state(const std::string& key) {
  if (auto it = keys_.find(key); it != keys_.end()) return &it->second;
  if (keys_.size() >= options_.maxKeys) return nullptr;
  return &keys_[key];
}

void WorkQueue::push(const std::string& key, State& s) {
  if (s.working) {
    s.again = true;
    return;
  }
  if (s.queued) return;
  s.queued = true;
  ready_.push_back(key);
  if (signalled_ || !onReady_) return;
  signalled_ = true;
  strand_->post([this, alive = alive_] {
    if (!*alive) return;
    signalled_ = false;
    if (!ready_.empty()) onReady_();
  });
}

// Forgets a key that nothing is known about any more.
void WorkQueue::release(const std::string& key) {
  auto it = keys_.find(key);
  if (it == keys_.end()) return;
  const State& s = it->second;
  if (!s.queued && !s.working && !s.due && s.failures == 0) keys_.erase(it);
}

bool WorkQueue::add(const std::string& key) {
  State* s = state(key);
  if (!s) return false;
  push(key, *s);
  return true;
}

bool WorkQueue::addAfter(const std::string& key, Duration delay) {
  if (delay <= Duration::zero()) return add(key);
  State* s = state(key);
  if (!s) return false;
  if (s->queued) return true;  // it comes sooner anyway
  MonoTime due = strand_->monoNow() + delay;
  if (s->due) {
    if (*s->due <= due) return true;
    delayed_.erase({*s->due, s->serial});
  }
  s->due = due;
  s->serial = ++serial_;
  delayed_.emplace(std::pair(due, s->serial), key);
  arm();
  return true;
}

bool WorkQueue::addRateLimited(const std::string& key) {
  State* s = state(key);
  if (!s) return false;
  Duration delay = options_.maxDelay;
  if (s->failures < 40) delay = std::min(delay, options_.baseDelay * (int64_t(1) << s->failures));
  if (s->failures < 1'000'000) ++s->failures;
  return addAfter(key, delay);
}

void WorkQueue::forget(const std::string& key) {
  auto it = keys_.find(key);
  if (it == keys_.end()) return;
  it->second.failures = 0;
  release(key);
}

int WorkQueue::failures(const std::string& key) const {
  auto it = keys_.find(key);
  return it == keys_.end() ? 0 : it->second.failures;
}

std::optional<std::string> WorkQueue::take() {
  if (ready_.empty()) return std::nullopt;
  std::string key = std::move(ready_.front());
  ready_.pop_front();
  State& s = keys_.at(key);
  s.queued = false;
  s.working = true;
  if (s.due) {  // this look covers the one planned for later
    delayed_.erase({*s.due, s.serial});
    s.due.reset();
  }
  return key;
}

void WorkQueue::done(const std::string& key) {
  auto it = keys_.find(key);
  PH_CHECK(it != keys_.end() && it->second.working);
  State& s = it->second;
  s.working = false;
  if (std::exchange(s.again, false)) push(key, s);
  release(key);
}

void WorkQueue::arm() {
  if (delayed_.empty()) return;
  MonoTime due = delayed_.begin()->first.first;
  if (armedFor_ && *armedFor_ <= due) return;
  armedFor_ = due;
  timer_ = strand_->after(due - strand_->monoNow(), [this, alive = alive_] {
    if (*alive) fire(strand_->monoNow());
  });
}

void WorkQueue::fire(MonoTime until) {
  armedFor_.reset();
  while (!delayed_.empty() && delayed_.begin()->first.first <= until) {
    std::string key = std::move(delayed_.begin()->second);
    delayed_.erase(delayed_.begin());
    State& s = keys_.at(key);
    s.due.reset();
    push(key, s);
  }
  arm();
}

}  // namespace ph::client
