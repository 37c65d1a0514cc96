// Disruption: keeps the status of each PodDisruptionBudget, by which evictions are allowed or refused.
// Source of the rules: Kubernetes documentation, "Specifying a Disruption Budget". Threads: pure.
#pragma once

#include "engine/controllers/runner.h"

namespace ph::controllers {

Plan reconcileDisruption(const Snapshot& snapshot, const Key& key, Moment now);
ControllerSpec disruptionController(const Kinds& kinds);

}  // namespace ph::controllers
