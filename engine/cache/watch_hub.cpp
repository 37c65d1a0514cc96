#include "engine/cache/watch_hub.h"

#include <algorithm>

namespace ph::cache {
namespace {

constexpr size_t kFew = 16;  // so many watchers are handed their events in less time than it takes to wake a thread for it

}  // namespace

bool Watcher::wants(const Event& event) const {
  if (!request_.ns.empty() && event.object->ns() != request_.ns) return false;
  if (!request_.index) return true;
  return request_.index(*event.object) == request_.indexValue ||
         (event.old && request_.index(*event.old) == request_.indexValue);
}

void Watcher::begin(std::vector<EventPtr> backlog, int64_t upTo) {
  std::erase_if(backlog, [&](const EventPtr& event) { return !wants(*event); });
  delivered_ = request_.after;
  {
    std::lock_guard lock(mutex_);
    pending_ = std::move(backlog);
    if (pending_.empty())
      delivered_ = std::max(request_.after, upTo);
    else
      wake();
  }
  begunAt_.store(upTo, std::memory_order_release);
}

bool Watcher::push(const std::vector<EventPtr>& events) {
  std::lock_guard lock(mutex_);
  if (finished_ || ending_) return true;
  if (queued_ + events.size() > request_.maxQueued) return false;
  queued_ += events.size();
  pending_.insert(pending_.end(), events.begin(), events.end());
  wake();
  return true;
}

void Watcher::end(Status status) {
  std::lock_guard lock(mutex_);
  if (finished_ || ending_) return;
  ending_ = std::move(status);
  pending_.clear();
  wake();
}

void Watcher::endAfterwards(Status status) {
  std::lock_guard lock(mutex_);
  if (finished_ || ending_) return;
  ending_ = std::move(status);
  wake();
}

void Watcher::cancel() {
  std::lock_guard lock(mutex_);
  finished_ = true;
  pending_.clear();
}

bool Watcher::cancelled() const {
  std::lock_guard lock(mutex_);
  return finished_;
}

bool Watcher::idle() const {
  std::lock_guard lock(mutex_);
  return !scheduled_ && pending_.empty();
}

void Watcher::wake() {
  if (scheduled_) return;
  scheduled_ = true;
  executor_->post([self = shared_from_this()] { self->deliver(); });
}

// One batch, then back into the executor's queue: a busy watcher does not keep others waiting.
void Watcher::deliver() {
  std::unique_lock lock(mutex_);
  if (!finished_ && !pending_.empty()) {
    std::vector<EventPtr> batch;
    batch.swap(pending_);
    queued_ = 0;
    lock.unlock();
    int64_t last = batch.back()->revision;
    if (request_.onEvents) request_.onEvents(std::move(batch));
    delivered_.store(last, std::memory_order_release);
    lock.lock();
  }
  if (!finished_ && pending_.empty() && ending_) {
    finished_ = true;
    Status status = std::move(*ending_);
    lock.unlock();
    if (request_.onEnd) request_.onEnd(std::move(status));
    lock.lock();
  }
  scheduled_ = false;
  if (!finished_ && (!pending_.empty() || ending_)) wake();
}

void WatchHub::attach(const std::shared_ptr<Watcher>& watcher,
                      const std::function<Result<std::vector<EventPtr>>(int64_t&)>& backlog) {
  std::lock_guard lock(setMutex_);
  if (watcher->cancelled()) return;  // while it waited for history
  ++count_;  // before the backlog is taken: what is published from here on is not skipped
  int64_t upTo = 0;
  auto events = backlog(upTo);
  if (!events.ok()) {
    --count_;
    watcher->end(std::move(events).status());
    return;
  }
  watcher->begin(std::move(*events), upTo);
  add(watcher);
}

void WatchHub::add(const std::shared_ptr<Watcher>& watcher) {
  auto& request = watcher->request();
  if (request.index)
    indexed_[request.index][request.indexValue].push_back(watcher);
  else
    plain_.push_back(watcher);
}

void WatchHub::detach(const Watcher* watcher) {
  std::lock_guard lock(setMutex_);
  removeLocked(watcher);
}

void WatchHub::endAll(const Status& status) {
  {
    std::lock_guard lock(queueMutex_);
    if (running_ || !published_.empty()) {  // events are on their way: after them
      ending_ = status;
      return;
    }
  }
  endNow(status);
}

void WatchHub::endNow(const Status& status) {
  std::lock_guard lock(setMutex_);
  auto end = [&](Group& group) {
    for (auto& watcher : group) watcher->endAfterwards(status);
    count_ -= group.size();
    group.clear();
  };
  end(plain_);
  for (auto& [fn, index] : indexed_)
    for (auto& [value, group] : index) end(group);
  indexed_.clear();
}

void WatchHub::removeLocked(const Watcher* watcher) {
  auto takeFrom = [&](Group& group) {
    auto it = std::find_if(group.begin(), group.end(), [&](auto& w) { return w.get() == watcher; });
    if (it == group.end()) return;
    *it = std::move(group.back());
    group.pop_back();
    --count_;
  };
  auto& request = watcher->request();
  if (!request.index) return takeFrom(plain_);
  auto index = indexed_.find(request.index);
  if (index == indexed_.end()) return;
  auto group = index->second.find(request.indexValue);
  if (group == index->second.end()) return;
  takeFrom(group->second);
  if (group->second.empty()) index->second.erase(group);
  if (index->second.empty()) indexed_.erase(index);
}

void WatchHub::publish(const EventPtr& event) {
  if (count_ == 0) return;
  std::lock_guard lock(queueMutex_);
  published_.push_back(event);
}

void WatchHub::pass() {
  {
    std::lock_guard lock(queueMutex_);
    if (running_ || published_.empty()) return;
    running_ = true;
  }
  if (count_ <= kFew) return fanOut();
  executor_->post([self = shared_from_this()] { self->fanOut(); });
}

bool WatchHub::settled() const {
  std::lock_guard lock(queueMutex_);
  return !running_ && published_.empty();
}

void WatchHub::fanOut() {
  std::vector<EventPtr> events;
  {
    std::lock_guard lock(queueMutex_);
    events.swap(published_);
  }
  handOut(events);
  std::optional<Status> ending;
  {
    std::lock_guard lock(queueMutex_);
    if (published_.empty()) {
      running_ = false;
      ending.swap(ending_);
    }
    if (running_) return executor_->post([self = shared_from_this()] { self->fanOut(); });
  }
  if (ending) endNow(*ending);
}

void WatchHub::handOut(const std::vector<EventPtr>& events) {
  std::vector<std::shared_ptr<Watcher>> full;
  std::lock_guard lock(setMutex_);
  handTo(plain_, events, full);
  for (auto& [fn, index] : indexed_) {
    // Each event goes to the watchers of its value, and of the value before where that differs.
    std::unordered_map<std::string_view, std::vector<EventPtr>> shares;
    for (auto& event : events) {
      std::string_view now = fn(*event->object);
      shares[now].push_back(event);
      if (!event->old) continue;
      if (std::string_view before = fn(*event->old); before != now) shares[before].push_back(event);
    }
    for (auto& [value, share] : shares)
      if (auto group = index.find(std::string(value)); group != index.end())
        handTo(group->second, share, full);
  }
  for (auto& watcher : full) {
    watcher->end(Status::expired("the watcher takes its events too slowly"));
    removeLocked(watcher.get());
  }
}

void WatchHub::handTo(Group& group, const std::vector<EventPtr>& events,
                      std::vector<std::shared_ptr<Watcher>>& full) {
  if (events.empty()) return;
  std::vector<EventPtr> share;
  for (auto& watcher : group) {
    int64_t begun = watcher->begunAt();
    const std::vector<EventPtr>* what = &events;
    if (!watcher->request().ns.empty() || events.front()->revision <= begun) {
      share.clear();
      for (auto& event : events)
        if (event->revision > begun && watcher->wants(*event)) share.push_back(event);
      if (share.empty()) continue;
      what = &share;
    }
    if (!watcher->push(*what)) full.push_back(watcher);
  }
}

}  // namespace ph::cache
