// Events are forgotten an hour after they last happened. Threads: pure.
#pragma once

#include "engine/controllers/runner.h"

namespace ph::controllers {

Plan sweepEvents(const Snapshot& snapshot, Moment now, Duration ttl);
ControllerSpec eventsController(const Kinds& kinds, Duration ttl);

}  // namespace ph::controllers
