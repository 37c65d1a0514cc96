// The pods that wait: active (by priority, then arrival), in back-off, or unschedulable until an event may help.
// Threads: none of its own; the scheduler's strand.
#pragma once

#include <set>
#include <unordered_map>

#include "engine/scheduler/framework/types.h"

namespace ph::scheduler {

class SchedulingQueue {
 public:
  // New or changed pod: active at once (a changed spec is worth a new try).
  void add(const PodInfoPtr& pod, MonoTime now);
  void remove(const std::string& uid);
  // The next pod to try, or null.
  PodInfoPtr pop();
  // It fit nowhere: waits for one of these events, at the longest kMaxWait.
  void unschedulable(const PodInfoPtr& pod, uint32_t wakeOn, MonoTime now);
  // Its binding failed: tried again after its back-off.
  void retry(const PodInfoPtr& pod, MonoTime now);
  // Something changed: pods that wait for it become active, or end their back-off first.
  void wake(uint32_t events, MonoTime now);
  // Moves what has waited long enough; call at nextDue().
  void tick(MonoTime now);
  // When the next pod leaves its back-off (or has waited too long); MonoTime::max() when none does.
  MonoTime nextDue() const;
  bool hasActive() const { return !active_.empty(); }
  size_t size() const { return pods_.size(); }
  bool waits(const std::string& uid) const { return pods_.contains(uid); }

  // Source: kube-scheduler's defaults.
  static constexpr Duration kFirstBackoff = std::chrono::seconds(1);
  static constexpr Duration kMaxBackoff = std::chrono::seconds(10);
  static constexpr Duration kMaxWait = std::chrono::minutes(5);

 private:
  enum class State { Active, Backoff, Unschedulable, Out };
  struct Entry {
    PodInfoPtr pod;
    State state = State::Out;
    uint32_t wakeOn = 0;
    int attempts = 0;
    uint64_t order = 0;
    MonoTime backoffUntil{}, due{};  // due: in the waiting set
  };
  struct Before {
    bool operator()(const Entry* a, const Entry* b) const {
      if (a->pod->priority != b->pod->priority) return a->pod->priority > b->pod->priority;
      return a->order < b->order;
    }
  };
  void place(Entry& e, State state, MonoTime due);
  void leave(Entry& e);

  std::unordered_map<std::string, Entry> pods_;  // by uid
  std::set<Entry*, Before> active_;
  std::set<std::pair<MonoTime, Entry*>> waiting_;  // back-off and unschedulable, by due time
  uint64_t order_ = 0;
};

}  // namespace ph::scheduler
