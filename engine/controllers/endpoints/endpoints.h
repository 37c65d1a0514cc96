// Endpoints: the addresses behind each Service that has a selector, ready or not, by port. They go with their
// Service. Threads: pure.
#pragma once

#include "engine/controllers/runner.h"

namespace ph::controllers {

Plan reconcileEndpoints(const Snapshot& snapshot, const Key& key, Moment now);
ControllerSpec endpointsController(const Kinds& kinds);

}  // namespace ph::controllers
