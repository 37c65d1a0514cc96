// ReplicationController: the older form of ReplicaSet, whose selector is a plain map.
// Threads: pure.
#pragma once

#include "engine/controllers/runner.h"

namespace ph::controllers {

Plan reconcileReplicationController(const Snapshot& snapshot, const Key& key, Moment now);
ControllerSpec replicationControllerController(const Kinds& kinds);

}  // namespace ph::controllers
