#include "engine/scheduler/framework/queue.h"

#include <algorithm>

namespace ph::scheduler {

void SchedulingQueue::leave(Entry& e) {
  if (e.state == State::Active) active_.erase(&e);
  else if (e.state != State::Out) waiting_.erase({e.due, &e});
  e.state = State::Out;
}

void SchedulingQueue::place(Entry& e, State state, MonoTime due) {
  leave(e);
  e.state = state;
  e.due = due;
  if (state == State::Active) active_.insert(&e);
  else waiting_.insert({due, &e});
}

void SchedulingQueue::add(const PodInfoPtr& pod, MonoTime now) {
  auto [it, isNew] = pods_.try_emplace(pod->uid);
  Entry& e = it->second;
  if (isNew) e.order = order_++;
  // Status updates of a waiting pod (our own, mostly) are no reason to try again.
  bool same = !isNew && e.pod->classKey == pod->classKey && e.pod->priority == pod->priority;
  if (same && e.state != State::Out) {
    e.pod = pod;  // same priority: its place among the active stays right
    return;
  }
  leave(e);
  e.pod = pod;
  place(e, now < e.backoffUntil ? State::Backoff : State::Active, e.backoffUntil);
}

void SchedulingQueue::remove(const std::string& uid) {
  auto it = pods_.find(uid);
  if (it == pods_.end()) return;
  leave(it->second);
  pods_.erase(it);
}

PodInfoPtr SchedulingQueue::pop() {
  if (active_.empty()) return nullptr;
  Entry& e = **active_.begin();
  leave(e);
  ++e.attempts;
  return e.pod;
}

void SchedulingQueue::unschedulable(const PodInfoPtr& pod, uint32_t wakeOn, MonoTime now) {
  auto it = pods_.find(pod->uid);
  if (it == pods_.end()) return;
  Entry& e = it->second;
  e.wakeOn = wakeOn;
  e.backoffUntil = now + std::min<Duration>(kMaxBackoff, kFirstBackoff * (1 << std::min(e.attempts - 1, 10)));
  place(e, State::Unschedulable, now + kMaxWait);
}

void SchedulingQueue::retry(const PodInfoPtr& pod, MonoTime now) {
  auto it = pods_.find(pod->uid);
  if (it == pods_.end()) return;
  Entry& e = it->second;
  e.backoffUntil = now + std::min<Duration>(kMaxBackoff, kFirstBackoff * (1 << std::clamp(e.attempts - 1, 0, 10)));
  place(e, State::Backoff, e.backoffUntil);
}

void SchedulingQueue::wake(uint32_t events, MonoTime now) {
  std::vector<Entry*> woken;
  for (auto& [due, e] : waiting_)
    if (e->state == State::Unschedulable && (e->wakeOn & events)) woken.push_back(e);
  for (Entry* e : woken) {
    if (now < e->backoffUntil) place(*e, State::Backoff, e->backoffUntil);
    else place(*e, State::Active, now);
  }
}

void SchedulingQueue::tick(MonoTime now) {
  while (!waiting_.empty() && waiting_.begin()->first <= now) place(*waiting_.begin()->second, State::Active, now);
}

MonoTime SchedulingQueue::nextDue() const { return waiting_.empty() ? MonoTime::max() : waiting_.begin()->first; }

}  // namespace ph::scheduler
