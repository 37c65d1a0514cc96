// What a node may write: the second half of the node authorizer, when the body is known. After Kubernetes' NodeRestriction
// admission. Threads: reads immutable snapshots; any thread.
#pragma once

#include "engine/server/admission/admission.h"

namespace ph::server {

// A step of admission: 403 when a node oversteps; nothing for all others.
Result<> nodeRestriction(Admission& admission);

}  // namespace ph::server
