// Default roles and bindings (policy.h) as objects, and what has to be written so that a cluster has them. Rules and subjects that
// are missing are added again, unless the object carries the annotation rbac.authorization.kubernetes.io/autoupdate: "false";
// what an administrator added stays. Threads: reads immutable snapshots.
#pragma once

#include <vector>

#include "engine/server/core.h"
#include "engine/server/writes.h"

namespace ph::server {

// The requests, as system:admin; to be submitted together once the namespaces are there.
std::vector<ApiRequest> missingPolicy(const Core& core);

}  // namespace ph::server
