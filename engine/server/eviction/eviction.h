// pods/eviction: a deletion that PodDisruptionBudgets must allow. The budget gives one disruption away first, in a write of its
// own; then the pod is deleted. Source: Kubernetes documentation, "API-initiated Eviction".
// Threads: as pending_write.h.
#pragma once

#include "engine/server/pending_write.h"

namespace ph::server {

Result<> planEviction(PendingWrite& p);

}  // namespace ph::server
