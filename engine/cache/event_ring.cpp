#include "engine/cache/event_ring.h"

#include <algorithm>

namespace ph::cache {

// An event keeps the object it brought alive; what came before it is counted with the event that brought
// that.
size_t EventRing::bytesOf(const Event& event) {
  return event.object->stored().size() + 640;  // and what stands around it
}

void EventRing::append(const Event& event, MonoTime now) {
  bytes_ += bytesOf(event);
  auto kept = std::make_shared<const Event>(
      Event{event.type, event.revision, event.object->undecoded(), event.old ? event.old->undecoded() : nullptr});
  slots_.push_back({std::move(kept), now});
  trim();
}

void EventRing::prepend(std::vector<EventPtr> events, int64_t floor, MonoTime now) {
  if (dropped_) return;
  for (auto it = events.rbegin(); it != events.rend(); ++it) {
    bytes_ += bytesOf(**it);
    slots_.push_front({std::move(*it), now});
  }
  floor_ = floor;
  trim();
}

std::vector<EventPtr> EventRing::expire(MonoTime since) {
  std::vector<EventPtr> old;
  while (!slots_.empty() && slots_.front().at < since) old.push_back(dropFront());
  return old;
}

std::vector<EventPtr> EventRing::after(int64_t revision) const {
  auto first = std::upper_bound(slots_.begin(), slots_.end(), revision,
                                [](int64_t r, const Slot& slot) { return r < slot.event->revision; });
  std::vector<EventPtr> events;
  events.reserve(size_t(slots_.end() - first));
  for (auto it = first; it != slots_.end(); ++it) events.push_back(it->event);
  return events;
}

EventPtr EventRing::dropFront() {
  EventPtr event = std::move(slots_.front().event);
  slots_.pop_front();
  bytes_ -= bytesOf(*event);
  floor_ = event->revision;
  dropped_ = true;
  return event;
}

void EventRing::trim() {
  while (slots_.size() > kMaxEvents || (bytes_ > kMaxBytes && slots_.size() > 1)) dropFront();
}

}  // namespace ph::cache
