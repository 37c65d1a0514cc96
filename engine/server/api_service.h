// The service "kubernetes" in the namespace "default": the address under which pods find the API, and, as its Endpoints
// and EndpointSlice, where the API really is. Threads: any.
#pragma once

#include <vector>

#include "engine/server/api_request.h"
#include "engine/server/core.h"

namespace ph::server {

// Adds the writes that bring what is stored in line with `api`. Without addresses there are no endpoints: what is only
// reached from its own machine can't be reached through a service.
void publishApi(const Core& core, const Advertised& api, std::vector<ApiRequest>& writes);

}  // namespace ph::server
