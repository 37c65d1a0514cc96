#include "engine/controllers/events/events.h"

#include "engine/api/types/core.h"

namespace ph::controllers {

namespace {
constexpr int kMostAtOnce = 500;
constexpr Duration kSweep = std::chrono::minutes(1);

WallTime lastHappened(const api::Object& object) {
  auto& e = object.as<api::core::Event>();
  WallTime t = object.meta().created;
  for (auto& seen : {e.firstTimestamp, e.lastTimestamp, e.eventTime})
    if (seen && *seen > t) t = *seen;
  if (e.series && e.series->lastObservedTime && *e.series->lastObservedTime > t)
    t = *e.series->lastObservedTime;
  return t;
}
}  // namespace

Plan sweepEvents(const Snapshot& snapshot, Moment now, Duration ttl) {
  Plan plan;
  plan.lookAgain(kSweep);
  int count = 0;
  for (auto& [key, event] : snapshot.all(snapshot.kinds().events)) {
    if (Duration(now.wall - event->meta().created) < ttl) continue;  // not even decoded
    if (Duration(now.wall - lastHappened(*event)) < ttl) continue;
    plan.remove(*event);
    if (++count == kMostAtOnce) {
      plan.lookAgain(std::chrono::milliseconds(100));
      break;
    }
  }
  return plan;
}

ControllerSpec eventsController(const Kinds& kinds, Duration ttl) {
  ControllerSpec spec;
  spec.name = "event-ttl-controller";
  spec.watches = {{kinds.events, [](const Snapshot&, const client::Change&, Keys&) {}}};
  spec.reconcile = [ttl](const Snapshot& snapshot, const Key&, Moment now) {
    return sweepEvents(snapshot, now, ttl);
  };
  spec.initialKeys = {"sweep"};
  return spec;
}

}  // namespace ph::controllers
