// Nobody gives away what they do not have: checks on writes of roles and bindings. Whoever writes a role must hold all that it
// allows, or the verb "escalate" on it; whoever writes a binding must hold all that its role allows, or "bind" on that role.
// After Kubernetes' documentation of RBAC, "Privilege escalation prevention". Threads: reads immutable snapshots; any thread.
#pragma once

#include "engine/server/admission/admission.h"

namespace ph::server {

// A step of admission.
Result<> escalationCheck(Admission& admission);

}  // namespace ph::server
