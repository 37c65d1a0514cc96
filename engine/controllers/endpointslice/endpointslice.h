// EndpointSlices: the addresses behind each Service that has a selector, at most 100 a slice. An address stays in the slice that
// it is in; only slices that change are written. They go with their Service.
// Source: Kubernetes documentation, "EndpointSlices". Threads: pure.
#pragma once

#include "engine/controllers/runner.h"

namespace ph::controllers {

Plan reconcileEndpointSlices(const Snapshot& snapshot, const Key& key, Moment now);
ControllerSpec endpointSliceController(const Kinds& kinds);

}  // namespace ph::controllers
