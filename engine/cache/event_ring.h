// The recent events of one kind, for watches and pages that begin in the past. Bounded in number, bytes and
// age. Threads: under its owner's mutex.
#pragma once

#include <deque>
#include <vector>

#include "engine/base/time.h"
#include "engine/cache/cache.h"

namespace ph::cache {

class EventRing {
 public:
  static constexpr size_t kMaxEvents = 20000;
  static constexpr size_t kMaxBytes = size_t(16) << 20;

  explicit EventRing(int64_t floor) : floor_(floor) {}

  // Keeps a copy, so that structs which others have decoded don't live as long as history.
  void append(const Event& event, MonoTime now);
  // Older events, in order, that end at the floor; they go back to `floor`. Only while nothing has been
  // dropped.
  void prepend(std::vector<EventPtr> events, int64_t floor, MonoTime now);
  // Drops what came before `since`; returns it, to be freed outside locks.
  std::vector<EventPtr> expire(MonoTime since);

  // All events with a revision above this one are here.
  int64_t floor() const { return floor_; }
  bool dropped() const { return dropped_; }
  size_t size() const { return slots_.size(); }
  std::vector<EventPtr> after(int64_t revision) const;

 private:
  struct Slot {
    EventPtr event;
    MonoTime at;
  };
  static size_t bytesOf(const Event& event);
  EventPtr dropFront();
  void trim();

  std::deque<Slot> slots_;
  size_t bytes_ = 0;
  int64_t floor_;
  bool dropped_ = false;
};

}  // namespace ph::cache
