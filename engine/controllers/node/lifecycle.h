// Node lifecycle: a node that is not heard of for the grace is lost: Ready becomes Unknown, and taints say
// so. Taints also follow the other conditions. A NoExecute taint is what evicts (eviction.h). A node is heard
// of when its lease is renewed, on our own clock. When the fleet says that the connection to its machine is
// down and the lease is not renewed after that, the node is lost after `linkGrace` already.
// Nobody is judged by silence from before Snapshot::steadySince (start, resume, clock jump, a gap in the
// leases' stream). Nor is anybody evicted when the fault is likely ours: when no node at all was heard of
// since this one fell silent, or when more than 2 and at least 55 % of those alive until then fell silent
// with it. Threads: pure.
#pragma once

#include "engine/controllers/runner.h"

namespace ph::controllers {

struct NodeLifecycleOptions {
  Duration grace = std::chrono::seconds(10);
  Duration linkGrace = std::chrono::seconds(3);
  double disruptedShare = 0.55;                  // of the nodes that were alive just before
  Duration together = std::chrono::seconds(60);  // nodes that fell silent within this time did so together
};

Plan reconcileNode(const Snapshot& snapshot, const Key& key, Moment now, const NodeLifecycleOptions& options);
ControllerSpec nodeLifecycleController(const Kinds& kinds, NodeLifecycleOptions options);

}  // namespace ph::controllers
