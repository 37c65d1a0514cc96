// Which requests of kubelets for their own client certificates need no person's yes. Threads: any.
#pragma once

#include <string>

#include "engine/server/core.h"

namespace ph::server {

// "selfnodeclient": a node renews its own; "nodeclient": somebody who may bring nodes in asks for a new one's. Empty: neither, or
// its author is not allowed to `create` that subresource of certificatesigningrequests.
std::string selfApproved(const Core& core, const api::Object& request);

}  // namespace ph::server
