// ReplicaSet: keeps as many pods of a template as wanted.
// Threads: pure.
#pragma once

#include "engine/controllers/runner.h"

namespace ph::controllers {

Plan reconcileReplicaSet(const Snapshot& snapshot, const Key& key, Moment now);
ControllerSpec replicaSetController(const Kinds& kinds);

}  // namespace ph::controllers
