// Eviction: pods that do not tolerate a NoExecute taint of their node are deleted; those that tolerate it for
// a while, then. A pod of a lost node is only marked: its agent confirms when it comes back, or it goes with
// its Node. A ReplicaSet does not count it any more, so its replacement starts at once. How long pods stay on
// a node that is not ready or unreachable is written in the pods: admission adds a toleration with
// tolerationSeconds where the user gave none.
// Threads: pure.
#pragma once

#include "engine/controllers/runner.h"

namespace ph::controllers {

// `settle`: nobody is evicted so soon after the controllers' start, a resume or a clock jump.
Plan evictFromNode(const Snapshot& snapshot, const Key& key, Moment now, Duration settle);
ControllerSpec evictionController(const Kinds& kinds, Duration settle);

}  // namespace ph::controllers
